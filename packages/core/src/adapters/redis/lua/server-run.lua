--[[ The life of the server that runs this very script; '' if it does not tell. ]]
local function serverRun()
  local told = redis.pcall('INFO', 'server')
  return type(told) == 'string' and string.match(told, 'run_id:(%x+)') or ''
end
