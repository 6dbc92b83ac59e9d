--[[
  Notes the Kafka member id of a life in a group. It has joined, so the ghost of that group is gone: a join waits for all.

  ARGV     ledger id, owner, group, member id
]]
local key = prefix .. 'owner:' .. ARGV[2]
if call('EXISTS', key) == 1 then
  call('HDEL', key, 'ghost:' .. ARGV[3])
  call('HSET', key, 'member:' .. ARGV[3], ARGV[4])
end
return 1
