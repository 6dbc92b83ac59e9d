--[[
  Changes lanes and epoch of all partitions at once, makes orphans of manifests, ends its drain, and wakes everybody: the
  whole cut.
  A repeated call is known by its epoch and gets the handoff as it stands by then.

  ARGV     ledger id, expected epoch, new epoch, default lane, release, then p, lane of each partition that changes
           release: 'open' manifests alone; or 'unsent': all without a journalled create call, and jobs that may run
           are to be cancelled, but for those that are given up
  Returns  {'switched', fields of {ns}:state} | a refusal, see switching.lua
]]
local default, isForced = ARGV[4], ARGV[5] == 'unsent'
if call('HGET', stateKey, 'cutEpoch') == new then return { 'switched', call('HGETALL', stateKey) } end
local refusal = switchRefusal()
if refusal then return refusal end

for _, name in ipairs(call('HKEYS', stateKey)) do
  if string.match(name, '^taken:') then call('HDEL', stateKey, name) end
end
for i = 6, #ARGV, 2 do
  local p, lane = ARGV[i], ARGV[i + 1]
  local former = call('HGET', stateKey, 'lane:' .. p)
  if former and former ~= lane then call('HSET', stateKey, 'lane:' .. p, lane, 'taken:' .. p, '') end
end

local isReleased = { open = true, sealed = isForced, uploaded = isForced }
local isCancelled = { submitting = isForced, submitted = isForced }
-- Its drain may have released some already.
local released, cancelled = tonumber(call('HGET', stateKey, 'drainReleased') or 0), 0
for _, manifest in ipairs(allManifests()) do
  local key = obligationKey(manifest.number)
  if isReleased[manifest.state] then
    released = released + releaseManifest(manifest)
  elseif isCancelled[manifest.state] and call('HGET', key, 'job:order') ~= 'abandon' then
    call('HSET', key, 'job:order', 'cancel')
    cancelled = cancelled + 1
  end
end

local triples, cut = partitionTriples(), {}
for i = 1, #triples, 3 do cut[#cut + 1] = triples[i] .. ':' .. triples[i + 2] end
call('HSET', stateKey, 'epoch', new, 'default', default, 'cut', table.concat(cut, ' '), 'cutEpoch', new,
  'cutAt', nowMs(), 'cutReleased', released, 'cutCancelled', cancelled)
call('HDEL', stateKey, 'drainEpoch', 'drainSince', 'drainReleased')
publishState()
return { 'switched', call('HGETALL', stateKey) }
