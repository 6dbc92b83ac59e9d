--[[
  Ends a pause.

  ARGV     ledger id, expected epoch
  Returns  1, or 0 when the epoch is another
]]
if ARGV[2] ~= epoch then return 0 end
call('HDEL', stateKey, 'pauseReason', 'pauseActor', 'pauseSince')
publishState()
return 1
