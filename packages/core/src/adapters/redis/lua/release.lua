--[[
  Ends a life: an obligation of an unknown owner may be taken over at once.

  ARGV     ledger id, owner
]]
call('DEL', prefix .. 'owner:' .. ARGV[2])
call('ZREM', prefix .. 'owners', ARGV[2])
return 1
