--[[
  ARGV     ledger id, documents of 12 bytes: head 4, tail 8
  Returns  a packed entry each, see latest.lua; '' for a document that was never admitted
]]
local answers = {}
for at = 1, #ARGV[2], 12 do
  local head, tail = struct.unpack('>I4c8', ARGV[2], at)
  answers[#answers + 1] = call('HGET', latestKey(head), tail) or ''
end
return answers
