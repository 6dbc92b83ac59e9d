--[[
  ARGV     ledger id, parts of 19 bytes: document 4+8, generation 7
  Returns  a digit per part: 1 if a newer content of its document was admitted
]]
local answers = {}
for at = 1, #ARGV[2], 19 do
  local head, tail, partGeneration = struct.unpack('>I4c8I7', ARGV[2], at)
  local status, _, _, _, generation = readLatest(head, tail)
  answers[#answers + 1] = status and generation > partGeneration and '1' or '0'
end
return table.concat(answers)
