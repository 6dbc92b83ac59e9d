--[[ Keeps up with a server whose settings were changed. ARGV as in open.lua. ]]
if ARGV[5] ~= '' and meta[11] ~= ARGV[5] then call('HSET', stateKey, 'durable', ARGV[5]) end
