--[[ Stands before every transition. One that is missing shows in the count that its caller was told. ]]
call('HINCRBY', stateKey, 'serial', 1)
