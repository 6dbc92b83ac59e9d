--[[ Returns the fields of {ns}:state, see ledger.lua. ]]
return call('HGETALL', stateKey)
