--[[
  A job of an earlier ledger becomes a manifest again, and the documents that are expected of it its parts.

  ARGV     what the caller knows, manifest id, documents of 50 bytes: partition 4, offset 7, document 4+8, version 7, content 4+8,
           metadata 4, tokens 4; then name, value of each field of the job
]]
local id, packed = ARGV[2], ARGV[3]
local number = obligationNumber(id)
if not number then
  number = newNumber(1)
  -- No life has this id: what it owns may be taken over at once.
  createManifest(number, id, '0.0', 'adopted from the provider when the ledger was rebuilt', nowMs(), number, 0)
  local job = {}
  for i = 4, #ARGV, 2 do
    job[#job + 1] = 'job:' .. ARGV[i]
    job[#job + 1] = ARGV[i + 1]
  end
  call('HSET', obligationKey(number), 'state', 'submitted', unpack(job))
end
if call('HGET', obligationKey(number), 'state') ~= 'submitted' then return 1 end

local partitions, offsets, values, opened = {}, {}, {}, {}
for at = 1, #packed, 50 do
  local p, offset, head, tail, version, contentHead, content, metadata, tokens =
    struct.unpack('>I4I7I4c8I7I4c8I4I4', packed, at)
  local status, lastVersion, _, _, lastGeneration = readLatest(head, tail)
  if status == statusExpected and lastVersion == version and becomePayer(contentHead, content, number) then
    local generation = math.max(version, lastGeneration + 1)
    writeLatest(head, tail, statusOpen, version, content, metadata, generation)
    local i = #values + 1
    partitions[i], offsets[i] = p, offset
    values[i] = struct.pack(partFormat, head, tail, contentHead, content, generation, restOf(tokens, true, actionEmbed))
    opened[p] = opened[p] or {}
    table.insert(opened[p], offset)
  end
end
if #values > 0 then addParts(number, partitions, offsets, values) end
for p, list in pairs(opened) do
  markOpen(integer(p), list, true)
  -- Its lane and frontier are told when the rebuild ends.
  if call('HSETNX', stateKey, 'frontier:' .. integer(p), 0) == 1 then
    call('HSET', stateKey, 'lane:' .. integer(p), call('HGET', stateKey, 'default'))
  end
end
return 1
