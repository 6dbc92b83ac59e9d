--[[
  What a drain and a switch have in common.

  ARGV[2], ARGV[3]  expected epoch, new epoch: each belongs to one switch
  Refusal           {'refused', 'epoch' | 'aborted' | 'draining', current epoch}
]]
local expected, new = ARGV[2], ARGV[3]

-- Why this switch is not to be made, or nothing.
local function switchRefusal()
  if epoch ~= expected then return { 'refused', 'epoch', epoch } end
  local aborted = call('HGET', stateKey, 'aborted')
  if aborted and tonumber(new) <= tonumber(aborted) then return { 'refused', 'aborted', epoch } end
  if drainEpoch and drainEpoch ~= new then return { 'refused', 'draining', epoch } end
  return nil
end

-- All manifests: a list of {number, id, state}.
local function allManifests()
  local manifests = {}
  for _, number in ipairs(call('HVALS', prefix .. 'obligations')) do
    local fields = call('HMGET', obligationKey(number), 'kind', 'id', 'state')
    if fields[1] == 'manifest' then manifests[#manifests + 1] = { number = number, id = fields[2], state = fields[3] } end
  end
  return manifests
end

-- Makes an orphan of a manifest, for the lane that is active then to pay for, and tells how many parts it has.
local function releaseManifest(manifest)
  local key = obligationKey(manifest.number)
  local fields, _, total = readObligation(manifest.number)
  for i = 1, #fields, 2 do
    if string.match(fields[i], '^job:') then call('HDEL', key, fields[i]) end
  end
  dropPromise(manifest.number)
  call('HSET', key, 'kind', 'orphan', 'owner', '', 'state', 'admitted',
    'reason', 'the lane was switched before it was sent')
  endIfEmpty(manifest.id, manifest.number)
  return total
end
