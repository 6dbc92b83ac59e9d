--[[
  What running jobs of an earlier ledger will bring, although nobody waited for it when they were adopted:

  {ns}:promising          set: numbers of the manifests whose promise holds, until their results are read or they are to be
                          filled anew
  {ns}:promised:<bucket>  hash: tail of the payment key -> number of the manifest. All of them go with the last promise

  The buckets are those of `paying`.
]]
local promisingKey, promisedPrefix = prefix .. 'promising', prefix .. 'promised:'
local promisedBuckets, bucketsAtOnce = 2 ^ (bits - 2), 1000

local function promisedKey(head)
  return format('%s%d', promisedPrefix, head / (2 ^ 32 / promisedBuckets))
end

local anyPromise
-- Number of the manifest that will bring this vector, or nothing.
local function promiserOf(head, tail)
  if anyPromise == nil then anyPromise = call('EXISTS', promisingKey) == 1 end
  local number = anyPromise and call('HGET', promisedKey(head), tail)
  return number and call('SISMEMBER', promisingKey, number) == 1 and number or nil
end

-- Nothing more will come of this manifest's job than its parts wait for.
local function dropPromise(number)
  if call('SREM', promisingKey, number) == 0 or call('EXISTS', promisingKey) == 1 then return end
  for first = 0, promisedBuckets - 1, bucketsAtOnce do
    local keys = {}
    for bucket = first, math.min(first + bucketsAtOnce, promisedBuckets) - 1 do
      keys[#keys + 1] = format('%s%d', promisedPrefix, bucket)
    end
    call('UNLINK', unpack(keys))
  end
end
