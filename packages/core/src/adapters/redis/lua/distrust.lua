--[[
  Puts an empty ledger, to be rebuilt, in the place of one that cannot be right. It asks nothing of the one that is there
  but its id.

  ARGV     ledger id, a new one, why, whether the server is durable (1, 0, ''), thorough (1: also one that is being rebuilt)
  Returns  1, or 0 when another ledger is there, or this one is being rebuilt
]]
local known = redis.call('HMGET', KEYS[1] .. 'state', 'ledger', 'bits', 'default', 'rebuildSince')
if known[1] ~= ARGV[1] or (known[4] and ARGV[5] ~= '1') then return 0 end

-- In a pattern the characters of a namespace stand for themselves.
local pattern, cursor = string.gsub(KEYS[1], '[%*%?%[%]%^\\]', '\\%0') .. '*', '0'
repeat
  local found = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
  cursor = found[1]
  if #found[2] > 0 then redis.call('UNLINK', unpack(found[2])) end
until cursor == '0'

beginLedger(ARGV[2], known[2], known[3], ARGV[4], ARGV[3])
redis.call('PUBLISH', KEYS[1] .. 'changes', '{"epoch":1,"lanes":{},"frontiers":{}}')
return 1
