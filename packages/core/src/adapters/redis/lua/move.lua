--[[
  Moves parts, and with them all that wait for the same vectors, into a new obligation. `paying` goes with them.
  A repeated call gets the parts of the target.

  ARGV     ledger id, from, owner, target id, kind (request, orphan), reason, delay in ms, attempts,
           places of 11 bytes: partition 4, offset 7
  Returns  {'moved', parts} see packPlaces | {'gone'}
]]
local from, owner, id, kind, reason, delayMs, attempts, packed =
  ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]

local existing = obligationNumber(id)
if existing then
  local fields = call('HMGET', obligationKey(existing), 'movedFrom', 'movedBy', 'owner')
  local isMine = fields[1] == from and fields[2] == owner and (fields[3] == '' or fields[3] == owner)
  if not isMine then return { 'gone' } end
  return { 'moved', packPlaces(allParts(existing)) }
end
local source = heldNumber(from, owner)
if not source then return { 'gone' } end

local partitions, offsets = {}, {}
for at = 1, #packed, 11 do
  partitions[#partitions + 1], offsets[#offsets + 1] = struct.unpack('>I4I7', packed, at)
end
local found = readParts(source, partitions, offsets)

local chosen = { partitions = {}, offsets = {}, values = {} }
local chosenPlaces = {}
local waits = {} -- packed identity of a content -> {head, tail, parts chosen so far}
local function choose(p, offset, value)
  local place = integer(p) .. ':' .. integer(offset)
  if chosenPlaces[place] then return end
  chosenPlaces[place] = true
  local at = #chosen.values + 1
  chosen.partitions[at], chosen.offsets[at], chosen.values[at] = p, offset, value
  local _, _, head, tail, _, rest = struct.unpack(partFormat, value)
  if not needsVector(rest) then return end
  local content = payingKey(head) .. tail
  waits[content] = waits[content] or { head = head, tail = tail, parts = 0 }
  waits[content].parts = waits[content].parts + 1
end

for i = 1, #offsets do
  if found[i] then choose(partitions[i], offsets[i], found[i]) end
end
if #chosen.values == 0 then return { 'moved', '' } end

local anySharers = false
for _, wait in pairs(waits) do
  local _, waiting = payerOf(wait.head, wait.tail)
  if waiting > wait.parts then anySharers = true end
end
if anySharers then
  local allPartitions, allOffsets, allValues = allParts(source)
  for i = 1, #allValues do
    local _, _, head, tail, _, rest = struct.unpack(partFormat, allValues[i])
    if needsVector(rest) and waits[payingKey(head) .. tail] then choose(allPartitions[i], allOffsets[i], allValues[i]) end
  end
end

local past = call('HMGET', obligationKey(source), 'attempts', 'since', 'rank', 'shares')
local isOrphan = kind == 'orphan'
local target = createObligation(id, { 'kind', kind, 'owner', isOrphan and '' or owner, 'state', 'admitted',
  'attempts', math.min(attempts, tonumber(past[1])), 'inputs', 0,
  'notBefore', isOrphan and delayMs > 0 and nowMs() + delayMs or 0,
  'reason', reason, 'since', past[2], 'rank', past[3], 'shares', past[4], 'movedFrom', from, 'movedBy', owner })
for _, wait in pairs(waits) do setPayer(wait.head, wait.tail, target, wait.parts) end
removeParts(source, chosen.partitions, chosen.offsets)
addParts(target, chosen.partitions, chosen.offsets, chosen.values)
endIfEmpty(from, source)
return { 'moved', packPlaces(chosen.partitions, chosen.offsets, chosen.values) }
