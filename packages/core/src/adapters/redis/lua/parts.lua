--[[
  Parts, in segments of 128 offsets, so that Redis keeps each as one packed list:

  {ns}:parts:<number>:<p>:<segment>  hash: offset mod 128 -> 35 bytes: document (head 4, tail 8), content (head 4,
                                     tail 8; zeros for a delete), generation 7, and 4 of tokens * 256 +
                                     replaces (1 or 0) * 128 + failures * 8 + action
  {ns}:open:<p>:<chunk>              bitmap of the unsettled offsets among 8192, and
  {ns}:open:<p>                      sorted set of the chunks that have any: W is the first bit of the first, if it is below A (I2)

  The bitmaps do not know obligations: only admit and adopt-job set bits, and only settle clears them.
]]
local actionEmbed, actionCopy, actionShare, actionDelete = 0, 1, 2, 3
local segmentSpan, chunkSpan = 128, 8192
local partFormat = '>I4c8I4c8I7I4'
local restAt, maxFailures = 32, 15
-- What a script may list: of an obligation that has more, its caller reads page by page (read-parts.lua).
local maxListed = 2048

local function needsVector(rest)
  return rest % 8 ~= actionDelete
end

local function tokensOf(rest)
  return floor(rest / 256)
end

-- What a new part ends with.
local function restOf(tokens, replaces, action)
  return tokens * 256 + (replaces and 128 or 0) + action
end

-- A packed part that one or more jobs came to nothing for.
local function withFailures(value, more)
  if more == 0 then return value end
  local rest = struct.unpack('>I4', value, restAt)
  local failures = floor(rest / 8) % 16
  return string.sub(value, 1, restAt - 1) ..
    struct.pack('>I4', rest + (math.min(maxFailures, failures + more) - failures) * 8)
end

-- Groups places (parallel arrays) by segment: a list of {p, segment, fields, at}, `at` being the indices of the places.
local function bySegment(partitions, offsets)
  local groups, found = {}, {}
  for i = 1, #offsets do
    local segment = floor(offsets[i] / segmentSpan)
    local inPartition = found[partitions[i]]
    if not inPartition then
      inPartition = {}
      found[partitions[i]] = inPartition
    end
    local group = inPartition[segment]
    if not group then
      group = { p = partitions[i], segment = segment, fields = {}, at = {} }
      inPartition[segment] = group
      groups[#groups + 1] = group
    end
    group.fields[#group.fields + 1] = offsets[i] - segment * segmentSpan
    group.at[#group.at + 1] = i
  end
  return groups
end

local function segmentKey(number, p, segment)
  return prefix .. 'parts:' .. number .. ':' .. integer(p) .. ':' .. integer(segment)
end

-- Sorts as its partition and segment do.
local function segmentMember(p, segment)
  return struct.pack('>I4I6', p, segment)
end

-- Up to `limit` segments in order, `from` as ZRANGEBYLEX has it: a list of {p, segment}, and where the next begin.
local function readSegments(number, from, limit)
  local members = call('ZRANGEBYLEX', prefix .. 'segments:' .. number, from, '+', 'LIMIT', 0, limit)
  local segments = {}
  for i, member in ipairs(members) do segments[i] = { struct.unpack('>I4I6', member) } end
  return segments, #members > 0 and '(' .. members[#members]
end

-- Counts the parts of an obligation by partition, so that nobody has to walk them.
local function countParts(number, groups, sign)
  local counts = {}
  for _, group in ipairs(groups) do counts[group.p] = (counts[group.p] or 0) + sign * #group.fields end
  for p, more in pairs(counts) do
    local key, field = prefix .. 'obligation:' .. number, 'parts:' .. integer(p)
    if call('HINCRBY', key, field, more) == 0 then call('HDEL', key, field) end
  end
end

-- Packed parts at these places, false where the obligation has none.
local function readParts(number, partitions, offsets)
  local values = {}
  for _, group in ipairs(bySegment(partitions, offsets)) do
    local found = call('HMGET', segmentKey(number, group.p, group.segment), unpack(group.fields))
    for j, i in ipairs(group.at) do values[i] = found[j] end
  end
  return values
end

-- @param number  of an obligation that exists
local function addParts(number, partitions, offsets, values)
  local groups = bySegment(partitions, offsets)
  for _, group in ipairs(groups) do
    local entries = {}
    for j, i in ipairs(group.at) do
      entries[#entries + 1] = group.fields[j]
      entries[#entries + 1] = values[i]
    end
    call('HSET', segmentKey(number, group.p, group.segment), unpack(entries))
    call('ZADD', prefix .. 'segments:' .. number, 0, segmentMember(group.p, group.segment))
  end
  countParts(number, groups, 1)
end

-- Notes a part that the owner may not know of.
local function noteJoined(number, p, offset)
  local joined = prefix .. 'joined:' .. number
  local last = call('ZRANGE', joined, -1, -1, 'WITHSCORES')[2]
  call('ZADD', joined, (last or 0) + 1, integer(p) .. ':' .. integer(offset))
end

-- @param partitions, offsets  places that have parts, each once
local function removeParts(number, partitions, offsets)
  local joined = prefix .. 'joined:' .. number
  local anyJoined = call('EXISTS', joined) == 1
  local groups = bySegment(partitions, offsets)
  for _, group in ipairs(groups) do
    local key = segmentKey(number, group.p, group.segment)
    if call('HLEN', key) == #group.fields then
      call('DEL', key)
      call('ZREM', prefix .. 'segments:' .. number, segmentMember(group.p, group.segment))
    else
      call('HDEL', key, unpack(group.fields))
    end
    if anyJoined then
      local members = {}
      for j, i in ipairs(group.at) do members[j] = integer(partitions[i]) .. ':' .. integer(offsets[i]) end
      call('ZREM', joined, unpack(members))
    end
  end
  countParts(number, groups, -1)
end

-- Every part of an obligation: parallel arrays of partitions, offsets and packed parts, in no order.
local function allParts(number)
  local partitions, offsets, values = {}, {}, {}
  for _, found in ipairs(readSegments(number, '-', -1)) do
    local p, segment = found[1], found[2]
    local fields = call('HGETALL', segmentKey(number, p, segment))
    for i = 1, #fields, 2 do
      partitions[#partitions + 1] = p
      offsets[#offsets + 1] = segment * segmentSpan + fields[i]
      values[#values + 1] = fields[i + 1]
    end
  end
  return partitions, offsets, values
end

-- One string of 46 bytes a part: partition 4, offset 7, packed part 35.
local function packPlaces(partitions, offsets, values)
  local records = {}
  for i = 1, #values do
    records[i] = struct.pack('>I4I7c35', partitions[i], offsets[i], values[i])
  end
  return table.concat(records)
end

-- Sets (`on`) or clears the bits of these offsets of one partition.
local function markOpen(p, offsets, on)
  local chunks = {}
  for i = 1, #offsets do
    local chunk = floor(offsets[i] / chunkSpan)
    local list = chunks[chunk]
    if not list then
      list = {}
      chunks[chunk] = list
    end
    list[#list + 1] = offsets[i] - chunk * chunkSpan
  end
  for chunk, list in pairs(chunks) do
    local name = integer(chunk)
    local key = prefix .. 'open:' .. p .. ':' .. name
    local first, last = chunkSpan, 0
    for i = 1, #list do
      local byte = floor(list[i] / 8)
      if byte < first then first = byte end
      if byte > last then last = byte end
    end
    local bytes = { string.byte(call('GETRANGE', key, first, last), 1, -1) }
    for i = #bytes + 1, last - first + 1 do bytes[i] = 0 end
    for i = 1, #list do
      local at = floor(list[i] / 8) - first + 1
      local mask = 2 ^ (7 - list[i] % 8)
      bytes[at] = on and bit.bor(bytes[at], mask) or bit.band(bytes[at], 255 - mask)
    end
    call('SETRANGE', key, first, string.char(unpack(bytes)))
    if on then
      call('ZADD', prefix .. 'open:' .. p, name, name)
    elseif call('BITPOS', key, 1) == -1 then
      call('DEL', key)
      call('ZREM', prefix .. 'open:' .. p, name)
    end
  end
end

-- W of a partition whose frontier is `frontier`. A job that was adopted may wait for offsets ahead of it.
local function watermark(p, frontier)
  local chunk = call('ZRANGE', prefix .. 'open:' .. p, 0, 0)[1]
  if not chunk then return frontier end
  local lowest = chunk * chunkSpan + call('BITPOS', prefix .. 'open:' .. p .. ':' .. chunk, 1)
  return lowest < tonumber(frontier) and integer(lowest) or frontier
end
