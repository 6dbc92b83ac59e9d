--[[
  Changes lanes and epoch of all partitions at once, makes orphans of all open manifests, ends a draining phase, and
  wakes everybody: the whole cut.
  An epoch belongs to one switch, so a repeated call is known by it and gets its answer again.

  ARGV     ledger id, expected epoch, new epoch, default lane, then p, lane of each partition that changes
  Returns  {'switched', 'p:A p:A ...'}: the frontiers at the cut, H | {'refused', epoch}
]]
local expected, new, default = ARGV[2], ARGV[3], ARGV[4]
if epoch == new then return { 'switched', call('HGET', stateKey, 'cut') } end
if epoch ~= expected then return { 'refused', epoch } end

for i = 5, #ARGV, 2 do
  if call('HEXISTS', stateKey, 'frontier:' .. ARGV[i]) == 1 then
    call('HSET', stateKey, 'lane:' .. ARGV[i], ARGV[i + 1])
  end
end
-- What is not sealed is the new lane's to pay for.
for _, number in ipairs(call('HVALS', prefix .. 'obligations')) do
  local key = obligationKey(number)
  local fields = call('HMGET', key, 'kind', 'state', 'id')
  if fields[1] == 'manifest' and fields[2] == 'open' then
    call('HSET', key, 'kind', 'orphan', 'owner', '', 'state', 'admitted',
      'reason', 'the lane was switched before it was sealed')
    endIfEmpty(fields[3], number)
  end
end

local triples, cut = partitionTriples(), {}
for i = 1, #triples, 3 do cut[#cut + 1] = triples[i] .. ':' .. triples[i + 2] end
local frontiers = table.concat(cut, ' ')
call('HSET', stateKey, 'epoch', new, 'phase', 'stable', 'default', default, 'cut', frontiers)
publishState()
return { 'switched', frontiers }
