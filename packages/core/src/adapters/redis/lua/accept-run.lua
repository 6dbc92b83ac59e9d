--[[
  Goes on in another life of the server, which has all that it answered in the one before. Compare-and-set.

  ARGV     ledger id, run that is noted ('' if none), run that the caller looked at, whether it is durable (1, 0)
  Returns  1, or 0 when something else was found: look again
]]
local stateKey = KEYS[1] .. 'state'
local known = redis.call('HMGET', stateKey, 'ledger', 'run', 'serial')
if known[1] ~= ARGV[1] or (known[2] or '') ~= ARGV[2] or serverRun() ~= ARGV[3] then return 0 end
redis.call('HSET', stateKey, 'ended:' .. ARGV[2], known[3] or 0, 'run', ARGV[3], 'durable', ARGV[4])
return 1
