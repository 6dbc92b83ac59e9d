--[[
  Makes an orphan whose time has come, or an obligation of a dead life, a request of `owner`. A manifest stays one, in
  its state. Its new owner, repeating the call, gets the same answer.

  ARGV     ledger id, obligation id, owner, epoch, lane
  Returns  {'taken', fields of the obligation, parts} see packPlaces; no parts of a manifest, nor if they are many
           {'refused', 'gone' | 'alive' | 'fenced' | 'paused' | 'draining'}
]]
local id, owner, wantedEpoch, lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local number = obligationNumber(id)
if not number then return { 'refused', 'gone' } end

local key = obligationKey(number)
local known = call('HMGET', key, 'owner', 'notBefore', 'kind')
local isManifest = known[3] == 'manifest'

local function refusal()
  -- What an unknown life owns could be taken from it at once, and paid for by both.
  if call('EXISTS', prefix .. 'owner:' .. owner) == 0 then return 'fenced' end
  if known[1] ~= '' then return not mayBeDead(known[1], nowMs()) and 'alive' end

  local lowest
  local _, counts = readObligation(number)
  for p in pairs(counts) do
    if not lowest or p < lowest then lowest = p end
  end
  if wantedEpoch ~= epoch or call('HGET', stateKey, 'lane:' .. integer(lowest)) ~= lane then return 'fenced' end -- I8
  if drainEpoch then return 'draining' end
  if pauseReason then return 'paused' end
  return tonumber(known[2]) > nowMs() and 'alive'
end

if known[1] ~= owner then
  local reason = refusal()
  if reason then return { 'refused', reason } end
  call('HSET', key, 'owner', owner)
  if not isManifest then call('HSET', key, 'kind', 'request', 'state', 'admitted', 'inputs', 0, 'notBefore', 0) end
  -- The new owner is told every part, or reads them all, and the former one's admission is nobody's to repeat.
  call('UNLINK', prefix .. 'joined:' .. number, prefix .. 'answer:' .. number)
end
local fields, _, total = readObligation(number)
return { 'taken', fields, (isManifest or total > maxListed) and '' or packPlaces(allParts(number)) }
