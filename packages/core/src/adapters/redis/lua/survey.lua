--[[
  Everything that an operator asks about, at one moment.

  Returns  {state fields, {p, W, unsettled, ...}, obligations as {number, fields}, {owner, fields, ...},
           counts fields, ledger time in ms}; in no order
]]
local triples, progress = partitionTriples(), {}
for i = 1, #triples, 3 do
  local p, unsettled = triples[i], 0
  for _, chunk in ipairs(call('ZRANGE', prefix .. 'open:' .. p, 0, -1)) do
    unsettled = unsettled + call('BITCOUNT', prefix .. 'open:' .. p .. ':' .. chunk)
  end
  progress[#progress + 1] = p
  progress[#progress + 1] = watermark(p, triples[i + 2])
  progress[#progress + 1] = unsettled
end

local described = {}
for i, number in ipairs(call('HVALS', prefix .. 'obligations')) do described[i] = { number, call('HGETALL', obligationKey(number)) } end

local owners = {}
for _, owner in ipairs(call('ZRANGE', prefix .. 'owners', 0, -1)) do
  owners[#owners + 1] = owner
  owners[#owners + 1] = call('HGETALL', prefix .. 'owner:' .. owner)
end
return { call('HGETALL', stateKey), progress, described, owners, call('HGETALL', prefix .. 'counts'), nowMs() }
