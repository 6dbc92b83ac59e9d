--[[
  Identities of 96 bits, cut into `head` (first 32 bits, a number) and `tail` (the next 64, 8 bytes).

  {ns}:latest:<bucket>     hash: tail of the document key -> packed newest version, see latest.lua
  {ns}:processed:<bucket>  set of integers: tails of payment keys as signed 64-bit numbers, so that Redis keeps an intset
  {ns}:paying:<bucket>     hash: tail of the payment key -> number of the one obligation that obtains its vector, and
                           ':' and how many of its parts wait for it, if more than one (I5)

  The bucket is made of the first `bits` bits (2 less for `paying`, which is smaller), so 64 + bits bits decide.
]]
local bucketSpan = 2 ^ (32 - bits)
local payingSpan = bucketSpan * 4
local latestPrefix, processedPrefix, payingPrefix = prefix .. 'latest:', prefix .. 'processed:', prefix .. 'paying:'

local function latestKey(head)
  return format('%s%d', latestPrefix, head / bucketSpan)
end

local function processedKey(head)
  return format('%s%d', processedPrefix, head / bucketSpan)
end

local function payingKey(head)
  return format('%s%d', payingPrefix, head / payingSpan)
end

-- Signed decimal of 8 bytes. Long division by 10^9 in digits of 16 bits: every step stays below 2^53.
local function int64(tail)
  local high, low = struct.unpack('>I4I4', tail)
  local sign = ''
  if high >= 2147483648 then
    sign = '-'
    high, low = 4294967295 - high, 4294967296 - low
    if low == 4294967296 then
      high, low = high + 1, 0
    end
  end
  local first = floor(high / 1000000000)
  local middle = (high - first * 1000000000) * 65536 + floor(low / 65536)
  local second = floor(middle / 1000000000)
  local last = (middle - second * 1000000000) * 65536 + low % 65536
  local third = floor(last / 1000000000)
  local quotient = first * 4294967296 + second * 65536 + third
  local rest = last - third * 1000000000
  if quotient == 0 then return format('%s%d', rest == 0 and '' or sign, rest) end
  return format('%s%d%09d', sign, quotient, rest)
end

-- Makes `number` the payer, unless there is one.
local function becomePayer(head, tail, number)
  return call('HSETNX', payingKey(head), tail, number) == 1
end

local function forgetPayer(head, tail)
  call('HDEL', payingKey(head), tail)
end

-- Number of the obligation that obtains this vector, and how many of its parts wait for it; or nothing.
local function payerOf(head, tail)
  local value = call('HGET', payingKey(head), tail)
  if not value then return nil end
  local number, parts = string.match(value, '^(%d+):(%d+)$')
  if number then return number, tonumber(parts) end
  return value, 1
end

local function setPayer(head, tail, number, parts)
  if parts == 0 then
    forgetPayer(head, tail)
  else
    call('HSET', payingKey(head), tail, parts == 1 and number or number .. ':' .. parts)
  end
end
