--[[
  Begins the wait of a switch for its old lane: nothing is admitted, no orphan adopted. Open manifests become orphans,
  so that they do not grow old meanwhile. Repeated it changes nothing.

  ARGV     ledger id, expected epoch, new epoch
  Returns  {'draining'} | a refusal, see switching.lua
]]
local refusal = switchRefusal()
if refusal then return refusal end
if drainEpoch then return { 'draining' } end

local released = 0
for _, manifest in ipairs(allManifests()) do
  if manifest.state == 'open' then released = released + releaseManifest(manifest) end
end
call('HSET', stateKey, 'drainEpoch', new, 'drainSince', nowMs(), 'drainReleased', released)
publishState()
return { 'draining' }
