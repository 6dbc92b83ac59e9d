--[[
  Makes an orphan whose time has come, or an obligation of a dead life, a request of `owner`.
  Its new owner, repeating the call, gets the same answer.

  ARGV     ledger id, obligation id, owner, epoch, lane
  Returns  {'taken', obligation, parts} see describeObligation and packPlaces
           {'refused', 'gone' | 'alive' | 'fenced' | 'paused' | 'draining'}
]]
local id, owner, wantedEpoch, lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local number = obligationNumber(id)
if not number then return { 'refused', 'gone' } end

local key = obligationKey(number)
local fields = call('HMGET', key, 'owner', 'notBefore')

local function refusal()
  -- What an unknown life owns could be taken from it at once, and paid for by both.
  if call('EXISTS', prefix .. 'owner:' .. owner) == 0 then return 'fenced' end
  if fields[1] ~= '' then return not mayBeDead(fields[1], nowMs()) and 'alive' end

  local lowest
  local counts = partCounts(number)
  for i = 1, #counts, 2 do
    local p = tonumber(counts[i])
    if not lowest or p < lowest then lowest = p end
  end
  if wantedEpoch ~= epoch or call('HGET', stateKey, 'lane:' .. lowest) ~= lane then return 'fenced' end -- I8
  if phase == 'draining' then return 'draining' end
  if pauseReason then return 'paused' end
  return tonumber(fields[2]) > nowMs() and 'alive'
end

if fields[1] ~= owner then
  local reason = refusal()
  if reason then return { 'refused', reason } end
  call('HSET', key, 'owner', owner, 'kind', 'request', 'state', 'admitted', 'inputs', 0, 'notBefore', 0)
  -- The new owner is told every part now, and the former one's admission is no longer anybody's to repeat.
  call('DEL', prefix .. 'joined:' .. number, prefix .. 'answer:' .. number)
end
return { 'taken', describeObligation(number), packPlaces(allParts(number)) }
