--[[ Makes a ledger where there is none. @param because  why it is to be rebuilt, '' if it is not ]]
local function beginLedger(id, bits, lane, durable, because)
  local stateKey = KEYS[1] .. 'state'
  redis.call('HSET', stateKey, 'format', 3, 'ledger', id, 'bits', bits, 'epoch', 1, 'default', lane,
    'owners', 0, 'obligations', 0, 'serial', 0, 'run', serverRun(), 'durable', durable)
  if because == '' then return end
  local time = redis.call('TIME')
  redis.call('HSET', stateKey, 'rebuildBecause', because, 'rebuildStage', 'waiting', 'rebuildDone', 0, 'rebuildTotal', 0,
    'rebuildSince', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
end
