--[[
  Ends the drain of a switch, and remembers that it is never to be made: switches up to this epoch that were not made by
  now cannot be any more.

  ARGV     ledger id, epoch of the switch
  Returns  'aborted' | 'passed': the current epoch is its own, or a later one
]]
local wanted = tonumber(ARGV[2])
if tonumber(epoch) >= wanted then return 'passed' end
if wanted > tonumber(call('HGET', stateKey, 'aborted') or 0) then call('HSET', stateKey, 'aborted', ARGV[2]) end
if drainEpoch and tonumber(drainEpoch) <= wanted then call('HDEL', stateKey, 'drainEpoch', 'drainSince', 'drainReleased') end
publishState()
return 'aborted'
