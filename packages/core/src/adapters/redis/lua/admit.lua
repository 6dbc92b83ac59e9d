--[[
  Admits offsets [from, to) of several partitions into a new obligation, and what has to be paid for into the owner's
  manifest, if one is named. Atomic: all checks come before the first write.
  A caller who missed the answer gets it again as long as the obligation is its own.

  ARGV     ledger id, epoch, lane, owner, obligation id, manifest id or '', then per slice: p, from, to, candidates
           candidate, 47 bytes: offset 7, document 4+8, version 7, tombstone 1, content 4+8, metadata 4, tokens 4

  Returns  {'admitted', verdicts}   one letter per candidate, then '|' and what the digits stand for:
                                      s superseded, u unchanged, c covered, w elsewhere
                                      e embed, p copy, h share, d delete; in capitals: the document was
                                      admitted before; the digits 1 to 4 in this order: so it was, and its generation,
                                      not its version, is the next of the numbers after '|'
           {'fenced', epoch} | {'draining'} | {'paused', reason} | {'unregistered'} | {'behind', p, A, p, A, ...}
           {'closed'}
]]
local wantedEpoch, lane, owner, id, manifestId = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local known = obligationNumber(id)
if known and heldNumber(id, owner) then
  local answer = call('GET', prefix .. 'answer:' .. known)
  if answer then return { 'admitted', answer } end
end

local wanted = {}
for i = 7, #ARGV, 4 do
  wanted[#wanted + 1] = 'lane:' .. ARGV[i]
  wanted[#wanted + 1] = 'frontier:' .. ARGV[i]
  wanted[#wanted + 1] = 'taken:' .. ARGV[i]
end
local partitions = call('HMGET', stateKey, unpack(wanted))

-- I8 Fence
if wantedEpoch ~= epoch then return { 'fenced', epoch } end
for i = 1, #partitions, 3 do
  if partitions[i] ~= lane then return { 'fenced', epoch } end
end
if drainEpoch then return { 'draining' } end
if pauseReason then return { 'paused', pauseReason } end
if call('EXISTS', prefix .. 'owner:' .. owner) == 0 then return { 'unregistered' } end

-- I1 OneAdmission. Offsets stay strings here: equality is all that is asked of them.
local behind = { 'behind' }
for i = 7, #ARGV, 4 do
  local frontier = partitions[(i - 7) / 4 * 3 + 2]
  if frontier ~= ARGV[i + 1] then
    behind[#behind + 1] = ARGV[i]
    behind[#behind + 1] = frontier
  end
end
if #behind > 1 then return behind end

local manifest = manifestId ~= '' and obligationNumber(manifestId)
if manifest then
  local fields = call('HMGET', obligationKey(manifest), 'state', 'owner')
  if fields[1] ~= 'open' or fields[2] ~= owner then return { 'closed' } end
end
if known then return redis.error_reply('LEDGERMISUSE obligation id in use') end

local own = newNumber(1)
local payer = own -- the obligation that pays for what nobody obtains yet
if manifestId ~= '' then payer = manifest or newNumber(2) end
local added = {} -- obligation number -> parallel arrays of its new parts
local sharing = {} -- numbers of obligations of which several parts wait for one vector
local letters, generations, counts = {}, {}, {}
local codes = {
  [actionEmbed] = { 'e', 'E', '1', 'embed' },
  [actionCopy] = { 'p', 'P', '2', 'copy' },
  [actionShare] = { 'h', 'H', '3', 'share' },
  [actionDelete] = { 'd', 'D', '4', 'delete' }
}

local function count(name)
  counts[name] = (counts[name] or 0) + 1
end

local function answer(letter, name)
  letters[#letters + 1] = letter
  count(name)
end

local function answerPart(action, replaces, version, generation)
  local code = codes[action]
  if not replaces then
    answer(code[1], code[4])
  elseif generation == version then
    answer(code[2], code[4])
  else
    answer(code[3], code[4])
    generations[#generations + 1] = integer(generation)
  end
end

local function addPart(number, p, offset, packed)
  local parts = added[number]
  if not parts then
    parts = { partitions = {}, offsets = {}, values = {} }
    added[number] = parts
  end
  local at = #parts.values + 1
  parts.partitions[at], parts.offsets[at], parts.values[at] = p, offset, packed
end

-- Who obtains the vector, and how. Nobody is asked to pay for what is being paid for (I5).
local function obtain(head, tail)
  if becomePayer(head, tail, payer) then
    if call('SISMEMBER', processedKey(head), int64(tail)) == 0 then
      local promiser = promiserOf(head, tail)
      if promiser then setPayer(head, tail, promiser, 1) end
      return promiser or payer, actionEmbed
    end
    if payer ~= own then setPayer(head, tail, own, 1) end
    return own, actionCopy
  end
  local other, waiting = payerOf(head, tail)
  setPayer(head, tail, other, waiting + 1)
  sharing[other] = true
  return other, actionShare
end

for i = 7, #ARGV, 4 do
  local p, to, packed = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local partition = tonumber(p)
  local opened = {}

  for at = 1, #packed, 47 do
    local offset, head, tail, version, tombstone, contentHead, contentTail, metadata, tokens =
      struct.unpack('>I7I4c8I7BI4c8I4I4', packed, at)
    local content = tombstone == 0 and contentTail or nil
    local status, lastVersion, lastContent, lastMetadata, lastGeneration = readLatest(head, tail)
    local same = (status == statusOpen or status == statusIndexed) and lastContent == content

    if status and lastVersion > version then
      answer('s', 'superseded')
    elseif same and (not content or lastMetadata == metadata) then
      if version > lastVersion then
        writeLatest(head, tail, status, version, content, lastMetadata, lastGeneration)
      end
      if status == statusOpen then answer('c', 'covered') else answer('u', 'unchanged') end
    else
      -- Other metadata too have a generation of their own: what is written late can then never overwrite them.
      local generation = version
      if status and lastGeneration >= version then generation = lastGeneration + 1 end
      writeLatest(head, tail, statusOpen, version, content, metadata, generation)
      local replaces = status ~= nil
      local taker, action = own, actionDelete
      if content then taker, action = obtain(contentHead, contentTail) end
      addPart(taker, partition, offset,
        struct.pack(partFormat, head, tail, contentHead, contentTail, generation, restOf(tokens, replaces, action)))
      opened[#opened + 1] = offset
      if taker == own or (taker == payer and action == actionEmbed) then
        answerPart(action, replaces, version, generation)
      else
        answer('w', 'share')
        noteJoined(taker, partition, offset)
      end
    end
  end

  if #opened > 0 then markOpen(p, opened, true) end
  call('HSET', stateKey, 'frontier:' .. p, to)
end

local verdicts = table.concat(letters) .. '|' .. table.concat(generations, ',')
local now = nowMs()
for i = 3, #partitions, 3 do
  -- Its new lane has begun.
  if partitions[i] == '' then call('HSET', stateKey, wanted[i], now) end
end
if added[own] then
  createObligation(own, id, { 'kind', 'request', 'owner', owner, 'state', 'admitted', 'attempts', 0, 'inputs', 0,
    'notBefore', 0, 'reason', '', 'since', now })
  call('SET', prefix .. 'answer:' .. own, verdicts)
end
if payer ~= own and not manifest and added[payer] then createManifest(payer, manifestId, owner, '', now, payer, 0) end
for number in pairs(sharing) do call('HSET', obligationKey(number), 'shares', 1) end
for number, parts in pairs(added) do addParts(number, parts.partitions, parts.offsets, parts.values) end
if #letters > 0 then call('HINCRBY', prefix .. 'counts', 'admitted', #letters) end
for name, more in pairs(counts) do call('HINCRBY', prefix .. 'counts', name, more) end
return { 'admitted', verdicts }
