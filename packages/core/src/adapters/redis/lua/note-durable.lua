--[[ Keeps up with a server whose settings were changed. ARGV as in open.lua. ]]
if meta[11] ~= ARGV[5] then call('HSET', stateKey, 'durable', ARGV[5]) end
