--[[
  Makes a partition known, in the default lane, unless it is.

  ARGV     ledger id, p, log start
  Returns  {lane, A}
]]
local lane, frontier = 'lane:' .. ARGV[2], 'frontier:' .. ARGV[2]
if call('HSETNX', stateKey, frontier, ARGV[3]) == 1 then
  call('HSET', stateKey, lane, call('HGET', stateKey, 'default'))
  publishState()
end
return call('HMGET', stateKey, lane, frontier)
