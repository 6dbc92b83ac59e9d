--[[
  Takes a manifest from one state to another, and notes what is known of its job. `archived` ends it: what had a job is
  kept among the last 1,000.

  ARGV     ledger id, manifest id, owner, from, to, then name, value of each field of the job
  State    {ns}:past  list, the latest first: JSON [name, value, ...] of the job, manifest, sinceMs, archivedMs
  Returns  'advanced' | 'refused' (in neither state, or not empty) | 'gone'
]]
local id, owner, from, to = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local maxPast = 1000
local number = heldNumber(id, owner)
if not number then return 'gone' end
local key = obligationKey(number)
local known = call('HMGET', key, 'kind', 'state')
if known[1] ~= 'manifest' then return 'gone' end
if known[2] ~= from and known[2] ~= to then return 'refused' end
if to == 'archived' and hasParts(number) then return 'refused' end

for i = 6, #ARGV, 2 do
  local name, value = 'job:' .. ARGV[i], ARGV[i + 1]
  if name == 'job:paidTokens' then
    -- What a job charged is told as its total, perhaps more than once: the difference is what is new.
    local new = tonumber(value) - tonumber(call('HGET', key, name) or 0)
    call('HINCRBY', prefix .. 'counts', 'paidTokens', integer(new))
  end
  call('HSET', key, name, value)
end
-- A file that is made anew has the lines of the parts alone.
if to == 'sealed' or to == 'terminal' or to == 'archived' then dropPromise(number) end
if to ~= 'archived' then
  call('HSET', key, 'state', to)
  return 'advanced'
end

local creates = call('HGET', key, 'job:creates')
if creates and tonumber(creates) > 0 then
  local past = { 'manifest', id, 'sinceMs', call('HGET', key, 'since'), 'archivedMs', integer(nowMs()) }
  local fields = call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name = string.match(fields[i], '^job:(.*)$')
    if name then
      past[#past + 1] = name
      past[#past + 1] = fields[i + 1]
    end
  end
  call('LPUSH', prefix .. 'past', cjson.encode(past))
  call('LTRIM', prefix .. 'past', 0, maxPast - 1)
  call('HINCRBY', prefix .. 'counts', 'jobs', 1)
end
endObligation(id, number)
return 'advanced'
