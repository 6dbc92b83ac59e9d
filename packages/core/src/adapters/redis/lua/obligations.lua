--[[
  Obligations, under short numbers that also tell their age.

  {ns}:obligations             hash: id -> number
  {ns}:obligation:<number>     hash: id, kind (request, orphan), owner ('' for an orphan), state, attempts, inputs,
                               notBefore, reason, since, rank (number of its first ancestor), movedFrom, movedBy,
                               shares (1 if several of its parts may wait for one vector)
  {ns}:answer:<number>         verdicts of the admission that made it, for a caller who missed them
  {ns}:segments:<number>       hash: '<p>:<segment>' -> nothing: where its parts are, see parts.lua. A set would not be packed
  {ns}:joined:<number>         sorted set: '<p>:<offset>' of parts that other obligations' admissions added, in order

  An obligation lives as long as it has parts (I2).
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

local function createObligation(id, fields)
  obligations = obligations + 1
  local number = integer(obligations)
  call('HSET', stateKey, 'obligations', number)
  call('HSET', prefix .. 'obligations', id, number)
  call('HSET', obligationKey(number), 'id', id, 'rank', number, 'shares', 0, unpack(fields))
  return number
end

local function endIfEmpty(id, number)
  if call('EXISTS', prefix .. 'segments:' .. number) == 1 then return end
  call('DEL', obligationKey(number), prefix .. 'answer:' .. number, prefix .. 'joined:' .. number)
  call('HDEL', prefix .. 'obligations', id)
end

-- A life that is unknown, or whose lease ran out: what it owns may be taken over.
local function mayBeDead(owner, now)
  local untilMs = call('HGET', prefix .. 'owner:' .. owner, 'leaseUntil')
  return not untilMs or tonumber(untilMs) <= now
end

-- {p, parts, p, parts, ...}, a partition perhaps several times
local function partCounts(number)
  local counts = {}
  for _, member in ipairs(call('HKEYS', prefix .. 'segments:' .. number)) do
    counts[#counts + 1] = string.match(member, '^%d+')
    counts[#counts + 1] = call('HLEN', prefix .. 'parts:' .. number .. ':' .. member)
  end
  return counts
end

local function describeObligation(number)
  return { number, call('HGETALL', obligationKey(number)), partCounts(number) }
end
