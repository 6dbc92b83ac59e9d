--[[
  What may be taken over now: orphans whose time has come, and obligations of dead lives.

  ARGV     ledger id, kinds
  Returns  {id, rank, number, ...}, in no order
]]
local now, kinds, deadOwners, answer = nowMs(), {}, {}, {}
for i = 2, #ARGV do kinds[ARGV[i]] = true end
for _, number in ipairs(call('HVALS', prefix .. 'obligations')) do
  local fields = call('HMGET', obligationKey(number), 'owner', 'notBefore', 'id', 'rank', 'kind')
  local owner, isAdoptable = fields[1], nil
  if owner == '' then
    isAdoptable = tonumber(fields[2]) <= now
  else
    if deadOwners[owner] == nil then deadOwners[owner] = mayBeDead(owner, now) end
    isAdoptable = deadOwners[owner]
  end
  if isAdoptable and kinds[fields[5]] then
    answer[#answer + 1] = fields[3]
    answer[#answer + 1] = fields[4]
    answer[#answer + 1] = number
  end
end
return answer
