--[[
  Begins a life of an instance. A former life that still has its lease may be another process by mistake: it keeps
  what it owns. One whose lease ran out is forgotten, after a day also that of another instance.

  ARGV     ledger id, instance, service, lease in ms
  State    {ns}:owners      sorted set: owner -> order of registration
           {ns}:owner:<id>  hash: instance, service, leaseUntil, trouble (see renew.lua), member:<group>, ghost:<group>
  Returns  {owner, group, member, group, member, ...}: members that former lives left behind, by group
]]
local instance, service, leaseMs = ARGV[2], ARGV[3], tonumber(ARGV[4])
local forgetMs = 86400000
local now = nowMs()

local ghosts = {}
for _, former in ipairs(call('ZRANGE', prefix .. 'owners', 0, -1)) do
  local key = prefix .. 'owner:' .. former
  local known = call('HMGET', key, 'instance', 'leaseUntil')
  local isSame = known[1] == instance
  if isSame then
    local fields = call('HGETALL', key)
    -- What a life noted itself is newer than what it was told.
    for _, kind in ipairs({ 'ghost', 'member' }) do
      for i = 1, #fields, 2 do
        local group = string.match(fields[i], '^' .. kind .. ':(.*)$')
        if group then ghosts[group] = fields[i + 1] end
      end
    end
  end
  if tonumber(known[2]) <= (isSame and now or now - forgetMs) then
    call('DEL', key)
    call('ZREM', prefix .. 'owners', former)
  end
end

local order = call('HINCRBY', stateKey, 'owners', 1)
local owner = epoch .. '.' .. integer(order)
local key = prefix .. 'owner:' .. owner
call('ZADD', prefix .. 'owners', order, owner)
call('HSET', key, 'instance', instance, 'service', service, 'leaseUntil', now + leaseMs)
local answer = { owner }
for group, member in pairs(ghosts) do
  call('HSET', key, 'ghost:' .. group, member)
  answer[#answer + 1] = group
  answer[#answer + 1] = member
end
return answer
