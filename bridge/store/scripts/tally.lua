-- Add what a process has counted.
-- ARGV: nonce of this call, field, by how much, field, by how much, ...
if not redis.call('SET', key('tallied', ARGV[1]), 1, 'NX', 'PX', 60000) then return 0 end
for at = 2, #ARGV, 2 do count(ARGV[at], ARGV[at + 1]) end
return 1
