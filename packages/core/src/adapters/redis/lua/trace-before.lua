--[[
  Test only: stands before the files of a script, and trace-after.lua behind them. What the script does and answers is
  written down by the script itself, so no transition is missing, whoever dies, and their order is the true one.

  ARGV     those of the script, then the call as trace-call.ts writes it
  Trace    {ns}.trace   stream, which whoever collects it empties; no key of the ledger, so that it outlives one
           {ns}.traced  how many entries it ever had
  Entry    serial, at (ledger time), run (life of the server), ledger (its id, afterwards), known (what the caller knows of it),
           call, reply (as MessagePack)
]]
local told, known = table.remove(ARGV), ARGV[1]
local untraced, time = redis, redis.call('TIME')
-- Redis before 7 lets time pass within a script: here it stands still, at what is written down.
local redis = setmetatable({
  call = function(name, ...)
    if name == 'TIME' then return time end
    return untraced.call(name, ...)
  end
}, { __index = untraced })

local function traced()
