--[[
  Settles parts of an obligation after the store or the dead-letter topic acknowledged them.
  Repeated, it answers `gone` for what the first call settled, which asks the same of the caller: nothing.

  ARGV     ledger id, obligation id, owner, paid tokens, outcomes
           outcome, 31 bytes: partition 4, offset 7, document 4+8, generation 7,
           settlement 1 (0 indexed, 1 deleted, 2 skipped, 3 dead)

  Returns  {answers, more}
           answers  a letter per outcome: s settled, o superseded (a newer content: the part stays), c current (may
                    not be skipped: the part stays), g gone, n gone and superseded
           more     parts that joined and wait, at most 256, in the order in which they joined; see packPlaces
]]
local id, owner, paidTokens, packed = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local indexed, skipped, dead = 0, 2, 3
local settlementNames = { [0] = 'indexed', 'deleted', 'skipped', 'dead' }
local number = heldNumber(id, owner)
local shares = number and call('HGET', obligationKey(number), 'shares') == '1'

local partitions, offsets, heads, tails, generations, settlements = {}, {}, {}, {}, {}, {}
for at = 1, #packed, 31 do
  local i = #offsets + 1
  partitions[i], offsets[i], heads[i], tails[i], generations[i], settlements[i] =
    struct.unpack('>I4I7I4c8I7B', packed, at)
end
local values = number and readParts(number, partitions, offsets) or {}

local counts, answers = {}, {}
local gone = { partitions = {}, offsets = {} }
local cleared = {} -- partition -> offsets
local function count(name, more)
  counts[name] = (counts[name] or 0) + more
end

for i = 1, #offsets do
  local p, offset, settlement = partitions[i], offsets[i], settlements[i]
  local clearedHere = cleared[p] or { list = {}, seen = {} }
  cleared[p] = clearedHere
  local value = not clearedHere.seen[offset] and values[i]

  if not value then
    local status, _, _, _, generation = readLatest(heads[i], tails[i])
    answers[i] = status and generation > generations[i] and 'n' or 'g'
  else
    local head, tail, contentHead, contentTail, partGeneration, rest = struct.unpack(partFormat, value)
    local content = rest % 8 ~= actionDelete and contentTail or nil
    local status, version, lastContent, metadata, generation = readLatest(head, tail)
    local isNewer = status and generation > partGeneration
    -- After a loss `latest` may know less than the part does.
    local isOlder = not status or generation < partGeneration
    local isNamed = status and generation == partGeneration and lastContent == content

    if settlement == indexed and isNewer then
      answers[i] = 'o'
    elseif settlement == skipped and (isOlder or (isNamed and status == statusOpen)) then
      answers[i] = 'c'
    else
      answers[i] = 's'
      if settlement ~= skipped then
        local newStatus = settlement == dead and statusDead or statusIndexed
        if isNamed then
          writeLatest(head, tail, newStatus, version, content, metadata, generation)
        elseif isOlder then
          writeLatest(head, tail, newStatus, math.max(partGeneration, version or 0), content, 0, partGeneration)
        end
      end
      count(settlementNames[settlement], 1)
      if settlement == indexed then
        if call('SADD', processedKey(contentHead), int64(contentTail)) == 1 then count('processed', 1) end
        if rest % 8 == actionEmbed then count('necessaryTokens', tokensOf(rest)) end
      end
      if needsVector(rest) then
        if shares then
          local _, waiting = payerOf(contentHead, contentTail)
          setPayer(contentHead, contentTail, number, waiting - 1)
        else
          forgetPayer(contentHead, contentTail)
        end
      end
      clearedHere.seen[offset] = true
      clearedHere.list[#clearedHere.list + 1] = offset
      gone.partitions[#gone.partitions + 1] = p
      gone.offsets[#gone.offsets + 1] = offset
    end
  end
end

if paidTokens ~= '0' then count('paidTokens', paidTokens) end
for name, more in pairs(counts) do call('HINCRBY', prefix .. 'counts', name, more) end
for p, here in pairs(cleared) do
  if #here.list > 0 then markOpen(integer(p), here.list, false) end
end
if not number then return { table.concat(answers), '' } end

if #gone.offsets > 0 then
  removeParts(number, gone.partitions, gone.offsets)
  endIfEmpty(id, number)
end
local morePartitions, moreOffsets = {}, {}
for i, member in ipairs(call('ZRANGE', prefix .. 'joined:' .. number, 0, 255)) do
  local p, offset = string.match(member, '^(%d+):(%d+)$')
  morePartitions[i], moreOffsets[i] = tonumber(p), tonumber(offset)
end
local more = readParts(number, morePartitions, moreOffsets)
return { table.concat(answers), packPlaces(morePartitions, moreOffsets, more) }
