--[[
  Leaves an operator's order with a manifest.

  ARGV     ledger id, manifest id, order
  Returns  1, or 0 when there is no such manifest
]]
local number = obligationNumber(ARGV[2])
if not number or call('HGET', obligationKey(number), 'kind') ~= 'manifest' then return 0 end
call('HSET', obligationKey(number), 'job:order', ARGV[3])
return 1
