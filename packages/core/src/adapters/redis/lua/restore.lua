--[[
  Objects that stand in the index: their documents are known again, and their payment keys.

  ARGV     what the caller knows, objects of 38 bytes: document 4+8, content 4+8, version 7, generation 7
]]
local added = 0
for at = 1, #ARGV[2], 38 do
  local head, tail, contentHead, content, version, generation = struct.unpack('>I4c8I4c8I7I7', ARGV[2], at)
  added = added + call('SADD', processedKey(contentHead), int64(content))
  local status, lastVersion, _, _, lastGeneration = readLatest(head, tail)
  if not status then
    writeLatest(head, tail, statusIndexed, version, content, 0, generation)
  elseif lastGeneration < generation and (status == statusIndexed or status == statusExpected) then
    writeLatest(head, tail, status, math.max(version, lastVersion), content, 0, generation)
  end
end
if added > 0 then call('HINCRBY', prefix .. 'counts', 'processed', added) end
return 1
