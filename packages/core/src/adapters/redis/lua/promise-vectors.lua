--[[
  Vectors that a job of an earlier ledger will bring, and that nobody obtains or has: who needs one later joins its manifest.

  ARGV     what the caller knows, manifest id, payment keys of 12 bytes: 4+8
]]
local packed, number = ARGV[3], obligationNumber(ARGV[2])
if not number or call('HGET', obligationKey(number), 'state') ~= 'submitted' then return 1 end

local isPromising = false
for at = 1, #packed, 12 do
  local head, tail = struct.unpack('>I4c8', packed, at)
  if not payerOf(head, tail) and call('SISMEMBER', processedKey(head), int64(tail)) == 0 then
    call('HSETNX', promisedKey(head), tail, number)
    isPromising = true
  end
end
if isPromising then call('SADD', promisingKey, number) end
return 1
