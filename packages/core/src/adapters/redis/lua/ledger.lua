--[[
  What every script begins with, after server-run.lua: it proves that the ledger is the caller's, and that nothing is missing of what the
  caller was told.

  KEYS[1]  '{namespace}:', the prefix of all keys: one hash tag, so all share a slot
  ARGV[1]  'id run serial mode': what the caller knows of the ledger; id, run and serial as it was answered last, '' and 0
           before; mode 'this', or 'any' when another ledger will do as well
  State    {ns}:state  hash: format, ledger, bits, epoch, default, owners and obligations (counters),
                       serial (counts transitions), run (id of the life of the server, '' if it does not tell), durable (1 if
                       this life keeps what it answers), and of former lives ended:<run>: the serial they came to,
                       pauseReason, pauseActor, pauseSince while paused, drainEpoch, drainSince, drainReleased while draining,
                       rebuildBecause, rebuildSince, rebuildStage, rebuildDone, rebuildTotal while it is rebuilt,
                       aborted: switches up to this epoch are never to be made, if they were not,
                       of the last cut: cut ('p:A p:A ...', H), cutEpoch, cutAt, cutReleased, cutCancelled,
                       and per partition lane:<p>, frontier:<p> (A), and if the last cut changed its lane taken:<p>:
                       ledger time of the first admission since, '' before

  Fails with LEDGERFOREIGN when there is no ledger, another one, or one of another format; LEDGERRUN id noted durable run
  when the server was started anew, or is another one, since a caller looked at it; LEDGERROLLEDBACK when it has not
  answered what it answered the caller.

  Numbers stay below 2^53. They become text through %d: `..` would round them to 14 digits, and takes longer.
  Binary strings are only ever tested for equality: < follows the locale.
]]
local call, floor, format = redis.call, math.floor, string.format
local prefix = KEYS[1]
local stateKey = prefix .. 'state'

local meta = call('HMGET', stateKey, 'format', 'ledger', 'epoch', 'bits', 'drainEpoch', 'pauseReason', 'obligations',
  'rebuildSince', 'serial', 'run', 'durable')
local knownId, knownRun, knownSerial, mode = string.match(ARGV[1], '^(%S*) (%x*) (%d+) (%a+)$')
if meta[1] ~= '3' or (knownId ~= '' and knownId ~= meta[2] and mode == 'this') then
  return redis.error_reply('LEDGERFOREIGN ' .. (meta[1] and 'another ledger, or another format' or 'there is no ledger here'))
end
local epoch, bits, drainEpoch, pauseReason, obligations = meta[3], tonumber(meta[4]), meta[5], meta[6], tonumber(meta[7])
local isRebuilding = meta[8]

-- Of the server that runs this very script: a command that is sent again may meet another one than it was meant for.
local run, notedRun = serverRun(), meta[10] or ''
if run ~= '' and run ~= notedRun then
  return redis.error_reply(format('LEDGERRUN %s %s %s %s', meta[2], notedRun == '' and '-' or notedRun, meta[11] == '1' and '1' or '0', run))
end
if knownId == meta[2] then
  local reached = knownRun == notedRun and (meta[9] or '0') or call('HGET', stateKey, 'ended:' .. knownRun)
  if not reached or tonumber(reached) < tonumber(knownSerial) then
    return redis.error_reply(format('LEDGERROLLEDBACK it knows of %s transitions, and answered %s', reached or 'none', knownSerial))
  end
end

local function integer(number)
  return format('%d', number)
end

-- Ledger time in milliseconds. Clients' clocks decide nothing.
local function nowMs()
  local time = call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- All partitions, in no order: {p, lane, A, p, lane, A, ...}
local function partitionTriples()
  local fields, lanes, frontiers = call('HGETALL', stateKey), {}, {}
  for i = 1, #fields, 2 do
    local kind, p = string.match(fields[i], '^(%a+):(%d+)$')
    if kind == 'lane' then lanes[p] = fields[i + 1] elseif kind == 'frontier' then frontiers[p] = fields[i + 1] end
  end
  local triples = {}
  for p, lane in pairs(lanes) do
    triples[#triples + 1] = p
    triples[#triples + 1] = lane
    triples[#triples + 1] = frontiers[p]
  end
  return triples
end

-- Wakes all instances with {epoch, lanes, frontiers}, so that nobody has to read again to know them. A hint: it may get lost.
local function publishState()
  local triples, lanes, frontiers = partitionTriples(), {}, {}
  for i = 1, #triples, 3 do
    lanes[#lanes + 1] = format('"%s":"%s"', triples[i], triples[i + 1])
    frontiers[#frontiers + 1] = format('"%s":%s', triples[i], triples[i + 2])
  end
  call('PUBLISH', prefix .. 'changes', format('{"epoch":%s,"lanes":{%s},"frontiers":{%s}}',
    call('HGET', stateKey, 'epoch'), table.concat(lanes, ','), table.concat(frontiers, ',')))
end
