--[[
  ARGV     ledger id, obligation id
  Returns  its parts, see packPlaces
]]
local number = obligationNumber(ARGV[2])
return number and packPlaces(allParts(number)) or ''
