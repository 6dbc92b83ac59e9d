end

-- A script that breaks off has perhaps written something, which nothing may do: that is an answer too.
local isWhole, reply = pcall(traced)
if not isWhole and type(reply) ~= 'table' then reply = { err = tostring(reply) } end
local ledger = untraced.pcall('HGET', KEYS[1] .. 'state', 'ledger')
local server = untraced.pcall('INFO', 'server')
local trace = string.sub(KEYS[1], 1, -2)
untraced.call('XADD', trace .. '.trace', '*', 'serial', untraced.call('INCR', trace .. '.traced'),
  'at', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)),
  'run', type(server) == 'string' and string.match(server, 'run_id:(%x+)') or '',
  'ledger', type(ledger) == 'string' and ledger or '', 'known', known, 'call', told, 'reply', cmsgpack.pack(reply))
return reply
