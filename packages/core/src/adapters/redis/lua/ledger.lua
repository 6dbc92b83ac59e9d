--[[
  What every script begins with: it proves that the ledger is the caller's.

  KEYS[1]  '{namespace}:', the prefix of all keys: one hash tag, so all share a slot
  ARGV[1]  ledger id that the caller knows, or '' before it knows one
  State    {ns}:state  hash: format, ledger, bits, epoch, default, owners and obligations (counters),
                       pauseReason, pauseActor, pauseSince while paused, drainEpoch, drainSince, drainReleased while draining,
                       aborted: switches up to this epoch are never to be made, if they were not,
                       of the last cut: cut ('p:A p:A ...', H), cutEpoch, cutAt, cutReleased, cutCancelled,
                       and per partition lane:<p>, frontier:<p> (A), and if the last cut changed its lane taken:<p>:
                       ledger time of the first admission since, '' before

  Fails with LEDGERFOREIGN when there is no ledger, another one, or one of another format.

  Numbers stay below 2^53. They become text through %d: `..` would round them to 14 digits, and takes longer.
  Binary strings are only ever tested for equality: < follows the locale.
]]
local call, floor, format = redis.call, math.floor, string.format
local prefix = KEYS[1]
local stateKey = prefix .. 'state'

local meta = call('HMGET', stateKey, 'format', 'ledger', 'epoch', 'bits', 'drainEpoch', 'pauseReason', 'obligations')
if meta[1] ~= '2' or (ARGV[1] ~= '' and ARGV[1] ~= meta[2]) then
  return redis.error_reply('LEDGERFOREIGN ' .. (meta[1] and 'another ledger, or another format' or 'there is no ledger here'))
end
local epoch, bits, drainEpoch, pauseReason, obligations = meta[3], tonumber(meta[4]), meta[5], meta[6], tonumber(meta[7])

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
