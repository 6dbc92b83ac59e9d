--[[
  ARGV     ledger id, how many
  Returns  the latest entries of {ns}:past, see advance.lua
]]
return call('LRANGE', prefix .. 'past', 0, ARGV[2] - 1)
