--[[
  Journals a paid attempt before it is sent. A repeated call, known by its number, changes nothing.

  ARGV     ledger id, obligation id, owner, number of the attempt, inputs
  Returns  'journalled' | 'gone'
]]
local number = heldNumber(ARGV[2], ARGV[3])
if not number then return 'gone' end
local key = obligationKey(number)
if tonumber(ARGV[4]) > tonumber(call('HGET', key, 'attempts')) then
  call('HSET', key, 'attempts', ARGV[4], 'inputs', ARGV[5], 'state', 'paying')
end
return 'journalled'
