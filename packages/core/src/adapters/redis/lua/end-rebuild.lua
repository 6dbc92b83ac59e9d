--[[
  Admission goes on.

  ARGV     what the caller knows, epoch, default lane, then p, lane, A of each partition
]]
call('HDEL', stateKey, 'rebuildBecause', 'rebuildSince', 'rebuildStage', 'rebuildDone', 'rebuildTotal')
call('HSET', stateKey, 'epoch', ARGV[2], 'default', ARGV[3])
for i = 4, #ARGV, 3 do call('HSET', stateKey, 'lane:' .. ARGV[i], ARGV[i + 1], 'frontier:' .. ARGV[i], ARGV[i + 2]) end
publishState()
return 1
