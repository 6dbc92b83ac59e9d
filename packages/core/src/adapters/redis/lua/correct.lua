--[[
  Corrects what L says of documents, where it still says what was found. Compare-and-set.

  ARGV     what the caller knows, corrections of 40 bytes: document 4+8, version 7, generation 7, status found 1, new status 1,
           content 4+8
  Returns  a digit each: 1 if it was corrected
]]
local answers, added = {}, 0
for at = 1, #ARGV[2], 40 do
  local head, tail, version, generation, found, new, contentHead, content =
    struct.unpack('>I4c8I7I7BBI4c8', ARGV[2], at)
  local status, lastVersion, lastContent, metadata, lastGeneration = readLatest(head, tail)
  local isAsFound = status == found and status ~= statusOpen and lastVersion == version and lastGeneration == generation
  local isMade = isAsFound and (new ~= statusIndexed or lastContent == content)
  if isMade then
    writeLatest(head, tail, new, lastVersion, lastContent, metadata, lastGeneration)
    if new == statusIndexed then added = added + call('SADD', processedKey(contentHead), int64(content)) end
  end
  answers[#answers + 1] = isMade and '1' or '0'
end
if added > 0 then call('HINCRBY', prefix .. 'counts', 'processed', added) end
return table.concat(answers)
