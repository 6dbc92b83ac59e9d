--[[
  Stops admission. A pause that stands keeps its reason.

  ARGV     ledger id, expected epoch, reason, actor
  Returns  1, or 0 when the epoch is another
]]
if ARGV[2] ~= epoch then return 0 end
if not pauseReason then
  call('HSET', stateKey, 'pauseReason', ARGV[3], 'pauseActor', ARGV[4], 'pauseSince', nowMs())
end
publishState()
return 1
