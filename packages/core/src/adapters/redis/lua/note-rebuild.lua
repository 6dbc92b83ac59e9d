--[[ ARGV     what the caller knows, stage, how much is done, of how much ]]
call('HSET', stateKey, 'rebuildStage', ARGV[2], 'rebuildDone', ARGV[3], 'rebuildTotal', ARGV[4])
return 1
