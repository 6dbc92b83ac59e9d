--[[
  ARGV     ledger id, owner, lease in ms, why it could not work now ('' when it could)
  Returns  1, or 0 when the life is unknown
]]
local key = prefix .. 'owner:' .. ARGV[2]
if call('EXISTS', key) == 0 then return 0 end
call('HSET', key, 'leaseUntil', nowMs() + ARGV[3], 'trouble', ARGV[4])
return 1
