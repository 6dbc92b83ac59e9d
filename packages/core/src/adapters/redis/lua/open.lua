--[[
  Makes the ledger when there is none. It stands before ledger.lua, which then checks what is there.

  ARGV     ledger id that the caller knows, a new one, default lane, bits of the bucket numbers
]]
if redis.call('EXISTS', KEYS[1] .. 'state') == 0 then
  redis.call('HSET', KEYS[1] .. 'state', 'format', 2, 'ledger', ARGV[2], 'bits', ARGV[4], 'epoch', 1,
    'default', ARGV[3], 'owners', 0, 'obligations', 0)
end
