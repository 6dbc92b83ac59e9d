--[[
  Makes the ledger when there is none. It stands before ledger.lua, which then checks what is there, and note-durable.lua.

  ARGV     what the caller knows, a new ledger id, default lane, bits of the bucket numbers, whether the server is durable (1, 0, '' if it
           does not tell),
           why a new ledger is to be rebuilt ('' if it is not)
]]
if redis.call('EXISTS', KEYS[1] .. 'state') == 0 then beginLedger(ARGV[2], ARGV[4], ARGV[3], ARGV[5], ARGV[6]) end
