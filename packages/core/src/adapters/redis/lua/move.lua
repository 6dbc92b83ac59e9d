--[[
  Moves parts, and with them all that wait for the same vectors, into a new obligation or into the manifest that their
  owner is filling. `paying` goes with them. A repeated call gets the parts of the target; of a manifest those that it
  named.

  ARGV     ledger id, from, owner, target id, kind (request, orphan, manifest), reason, delay in ms, attempts, failures,
           thorough (1 or 0), places of 11 bytes: partition 4, offset 7
  Returns  {'moved', parts} see packPlaces | {'gone'} | {'held'}: a job may run (I9), or the target is no open manifest of the owner's
           {'scattered'}: others wait for the same vectors, and `from` has too many parts to look for them here.
           Name them, or be `thorough`
]]
local from, owner, id, kind, reason, packed = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[11]
local delayMs, attempts, failures, thorough = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10] == '1'

local partitions, offsets = {}, {}
for at = 1, #packed, 11 do
  partitions[#partitions + 1], offsets[#offsets + 1] = struct.unpack('>I4I7', packed, at)
end

local function newList()
  return { partitions = {}, offsets = {}, values = {}, places = {} }
end

-- Whether it was not in the list before.
local function add(list, p, offset, value)
  local place = integer(p) .. ':' .. integer(offset)
  if list.places[place] then return false end
  list.places[place] = true
  local at = #list.values + 1
  list.partitions[at], list.offsets[at], list.values[at] = p, offset, value
  return true
end

local function reply(list)
  return { 'moved', packPlaces(list.partitions, list.offsets, list.values) }
end

local existing = obligationNumber(id)
local source = heldNumber(from, owner)
local arrived = newList() -- what a manifest has already of the parts that are named
-- A switch may have made an orphan of it, which somebody has adopted since: perhaps as the very source.
local isOurs = true
if existing then
  local fields = call('HMGET', obligationKey(existing), 'movedFrom', 'movedBy', 'owner', 'kind')
  if kind ~= 'manifest' then
    local isMine = fields[1] == from and fields[2] == owner and (fields[3] == '' or fields[3] == owner)
    if not isMine then return { 'gone' } end
    return { 'moved', packPlaces(allParts(existing)) }
  end
  isOurs = from ~= id and fields[3] == owner and fields[4] == 'manifest'
  local found = isOurs and readParts(existing, partitions, offsets) or {}
  for i = 1, #offsets do
    if found[i] then add(arrived, partitions[i], offsets[i], found[i]) end
  end
end
if not source then
  if #arrived.values == 0 then return { 'gone' } end
  return reply(arrived)
end

local chosen, unnamed = newList(), {}
local waits = {} -- packed identity of a content -> {head, tail, parts chosen so far}
local function choose(p, offset, value)
  if not add(chosen, p, offset, value) then return false end
  local _, _, head, tail, _, rest = struct.unpack(partFormat, value)
  if needsVector(rest) then
    local content = payingKey(head) .. tail
    waits[content] = waits[content] or { head = head, tail = tail, parts = 0 }
    waits[content].parts = waits[content].parts + 1
  end
  return true
end

local found = readParts(source, partitions, offsets)
for i = 1, #offsets do
  if found[i] then choose(partitions[i], offsets[i], found[i]) end
end
if #chosen.values == 0 then return reply(arrived) end

local past = call('HMGET', obligationKey(source), 'attempts', 'since', 'rank', 'shares', 'state')
local state = past[5]
if state == 'submitting' or state == 'submitted' then return { 'held' } end
if existing and not (isOurs and call('HGET', obligationKey(existing), 'state') == 'open') then return { 'held' } end

local anySharers = false
for _, wait in pairs(waits) do
  local _, waiting = payerOf(wait.head, wait.tail)
  if waiting > wait.parts then anySharers = true end
end
if anySharers then
  local _, _, total = readObligation(source)
  if total > maxListed and not thorough then return { 'scattered' } end
  local allPartitions, allOffsets, allValues = allParts(source)
  for i = 1, #allValues do
    local p, offset = allPartitions[i], allOffsets[i]
    local _, _, head, tail, _, rest = struct.unpack(partFormat, allValues[i])
    if needsVector(rest) and waits[payingKey(head) .. tail] and choose(p, offset, allValues[i]) then
      unnamed[#unnamed + 1] = { p, offset }
    end
  end
end

local target = existing or newNumber(1)
if existing then
  if past[4] == '1' then call('HSET', obligationKey(target), 'shares', 1) end
elseif kind == 'manifest' then
  createManifest(target, id, owner, reason, past[2], past[3], past[4])
else
  local isOrphan = kind == 'orphan'
  createObligation(target, id, { 'kind', kind, 'owner', isOrphan and '' or owner, 'state', 'admitted',
    'attempts', math.min(attempts, tonumber(past[1])), 'inputs', 0,
    'notBefore', isOrphan and delayMs > 0 and nowMs() + delayMs or 0,
    'reason', reason, 'since', past[2], 'rank', past[3], 'shares', past[4], 'movedFrom', from, 'movedBy', owner })
end
for _, wait in pairs(waits) do setPayer(wait.head, wait.tail, target, wait.parts) end
for i = 1, #chosen.values do chosen.values[i] = withFailures(chosen.values[i], failures) end
removeParts(source, chosen.partitions, chosen.offsets)
addParts(target, chosen.partitions, chosen.offsets, chosen.values)
if kind == 'manifest' then
  -- Whoever misses the answer does not know of those that were not named: `settle` tells of them.
  table.sort(unnamed, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for _, place in ipairs(unnamed) do noteJoined(target, place[1], place[2]) end
end
endIfEmpty(from, source)
for i = 1, #arrived.values do add(chosen, arrived.partitions[i], arrived.offsets[i], arrived.values[i]) end
return reply(chosen)
