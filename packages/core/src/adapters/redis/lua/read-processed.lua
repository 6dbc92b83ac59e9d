--[[
  ARGV     ledger id, payment keys of 12 bytes: head 4, tail 8
  Returns  a digit each: 1 if its vector is known to be in the index
]]
local answers = {}
for at = 1, #ARGV[2], 12 do
  local head, tail = struct.unpack('>I4c8', ARGV[2], at)
  answers[#answers + 1] = call('SISMEMBER', processedKey(head), int64(tail))
end
return table.concat(answers)
