--[[
  Newest versions in the log from W on. What the index does not have of them is expected.

  ARGV     what the caller knows, documents of 32 bytes: document 4+8, version 7, tombstone 1, content 4+8
]]
for at = 1, #ARGV[2], 32 do
  local head, tail, version, tombstone, _, contentTail = struct.unpack('>I4c8I7BI4c8', ARGV[2], at)
  local content = tombstone == 0 and contentTail or nil
  local status, lastVersion, lastContent, metadata, generation = readLatest(head, tail)
  if not status then
    writeLatest(head, tail, statusExpected, version, nil, 0, 0)
  elseif lastVersion <= version then
    local isThere = status == statusIndexed and lastContent == content
    -- An open one of this version is what a job was adopted for.
    local isOpen = status == statusOpen and lastVersion == version
    writeLatest(head, tail, (isThere or isOpen) and status or statusExpected, version, lastContent, metadata, generation)
  end
end
return 1
