--[[
  Journals a paid attempt before it is sent. A repeated call, known by its number, changes nothing.

  ARGV     ledger id, obligation id, owner, number of the attempt, inputs
  Returns  'journalled' | 'gone': also for a manifest, since what it pays is journalled by advance.lua
]]
local number = heldNumber(ARGV[2], ARGV[3])
if not number then return 'gone' end
local key = obligationKey(number)
local fields = call('HMGET', key, 'kind', 'attempts')
if fields[1] == 'manifest' then return 'gone' end
if tonumber(ARGV[4]) > tonumber(fields[2]) then
  call('HSET', key, 'attempts', ARGV[4], 'inputs', ARGV[5], 'state', 'paying')
end
return 'journalled'
