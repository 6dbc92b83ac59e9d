--[[
  At least `limit` parts of an obligation after a place, in whole segments; fewer only at the end.

  ARGV     ledger id, obligation id, limit, and of the place, if there is one: partition, offset
  Returns  parts, see packPlaces, segment by segment in order
]]
local number, limit, afterPartition, afterOffset = obligationNumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if not number then return '' end

local partitions, offsets, values = {}, {}, {}
local from = '-'
if afterPartition then from = '[' .. segmentMember(afterPartition, floor(afterOffset / segmentSpan)) end
while from and #values < limit do
  local segments
  segments, from = readSegments(number, from, 4)
  for _, found in ipairs(segments) do
    local p, segment = found[1], found[2]
    local fields = call('HGETALL', segmentKey(number, p, segment))
    for i = 1, #fields, 2 do
      local offset = segment * segmentSpan + fields[i]
      if p ~= afterPartition or offset > afterOffset then
        local at = #values + 1
        partitions[at], offsets[at], values[at] = p, offset, fields[i + 1]
      end
    end
  end
end
return packPlaces(partitions, offsets, values)
