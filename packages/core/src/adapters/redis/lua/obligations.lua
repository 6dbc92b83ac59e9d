--[[
  Obligations, under short numbers that also tell their age.

  {ns}:obligations             hash: id -> number
  {ns}:obligation:<number>     hash: id, kind (request, orphan, manifest), owner ('' for an orphan), state, attempts,
                               inputs, notBefore, reason, since, rank (number of its first ancestor), movedFrom,
                               movedBy, shares (1 if several of its parts may wait for one vector), parts:<p> (how
                               many parts of a partition it has), and of a manifest job:<name> for what is known of
                               its job: absent is 0 or ''
  {ns}:answer:<number>         verdicts of the admission that made it, for a caller who missed them
  {ns}:segments:<number>       sorted set: partition 4, segment 6, in this order: where its parts are, see parts.lua
  {ns}:joined:<number>         sorted set: '<p>:<offset>' of parts that its owner may not know of, in the order in which
                               they came: other obligations' admissions added them, or they moved in unnamed

  An obligation lives as long as it has parts (I2); a manifest until it is archived.
]]
local function obligationKey(number)
  return prefix .. 'obligation:' .. number
end

local function obligationNumber(id)
  return call('HGET', prefix .. 'obligations', id)
end

-- The number, if `owner` is the one who has to finish it.
local function heldNumber(id, owner)
  local number = obligationNumber(id)
  if number and owner ~= '' and call('HGET', obligationKey(number), 'owner') == owner then return number end
  return nil
end

-- A number that is not in use, `ahead` (from 1) after the last one given.
local function newNumber(ahead)
  return integer(obligations + ahead)
end

local function createObligation(number, id, fields)
  call('HSET', stateKey, 'obligations', number)
  call('HSET', prefix .. 'obligations', id, number)
  call('HSET', obligationKey(number), 'id', id, 'rank', number, 'shares', 0, unpack(fields))
end

local function createManifest(number, id, owner, reason, since, rank, shares)
  createObligation(number, id, { 'kind', 'manifest', 'owner', owner, 'state', 'open', 'attempts', 0, 'inputs', 0,
    'notBefore', 0, 'reason', reason, 'since', since, 'rank', rank, 'shares', shares })
end

local function hasParts(number)
  return call('EXISTS', prefix .. 'segments:' .. number) == 1
end

-- An obligation that has no parts.
local function endObligation(id, number)
  call('DEL', obligationKey(number), prefix .. 'answer:' .. number, prefix .. 'joined:' .. number)
  call('HDEL', prefix .. 'obligations', id)
end

-- A request or an orphan ends with its last part.
local function endIfEmpty(id, number)
  if hasParts(number) or call('HGET', obligationKey(number), 'kind') == 'manifest' then return end
  endObligation(id, number)
end

-- A life that is unknown, or whose lease ran out: what it owns may be taken over.
local function mayBeDead(owner, now)
  local untilMs = call('HGET', prefix .. 'owner:' .. owner, 'leaseUntil')
  return not untilMs or tonumber(untilMs) <= now
end

-- Its fields, and how many parts it has by partition.
local function readObligation(number)
  local fields, counts, total = call('HGETALL', obligationKey(number)), {}, 0
  for i = 1, #fields, 2 do
    local p = string.match(fields[i], '^parts:(%d+)$')
    if p then
      counts[tonumber(p)] = tonumber(fields[i + 1])
      total = total + counts[tonumber(p)]
    end
  end
  return fields, counts, total
end
