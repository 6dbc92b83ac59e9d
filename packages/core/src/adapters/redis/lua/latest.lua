--[[
  The newest admitted version of each document, packed into 20 bytes (27 with a generation other than the version):

    flags       1  status (0 open, 1 indexed, 2 dead, 3 expected) + 4 for a tombstone, or if the content is not known, + 8 if a generation follows
    version     7
    content     8  tail of the payment key; zeros if there is none
    metadata    4
    generation  7  only with flag 8
]]
local statusOpen, statusIndexed, statusDead, statusExpected = 0, 1, 2, 3
local noContent = string.rep('\0', 8)

-- status, version, content (nil for none), metadata, generation; or nothing
local function readLatest(head, tail)
  local packed = call('HGET', latestKey(head), tail)
  if not packed then return nil end
  local flags, version, content, metadata, next = struct.unpack('>BI7c8I4', packed)
  local generation = version
  if flags >= 8 then
    generation = struct.unpack('>I7', packed, next)
    flags = flags - 8
  end
  if flags >= 4 then return flags - 4, version, nil, metadata, generation end
  return flags, version, content, metadata, generation
end

local function writeLatest(head, tail, status, version, content, metadata, generation)
  local flags = content and status or status + 4
  local packed
  if generation == version then
    packed = struct.pack('>BI7c8I4', flags, version, content or noContent, metadata)
  else
    packed = struct.pack('>BI7c8I4I7', flags + 8, version, content or noContent, metadata, generation)
  end
  call('HSET', latestKey(head), tail, packed)
end
