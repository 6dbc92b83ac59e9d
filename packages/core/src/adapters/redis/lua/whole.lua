--[[ Stands before what a ledger does not do while it is rebuilt. Fails with LEDGERREBUILDING. ]]
if isRebuilding then
  return redis.error_reply('LEDGERREBUILDING ' .. call('HGET', stateKey, 'rebuildBecause'))
end
