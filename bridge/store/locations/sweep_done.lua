-- Record the end of a sweep.
--   ARGV[1]  location
--   ARGV[2]  next sweep (ms from now; -1: none)
--   ARGV[3]  since (see `sweep_claim.lua`)
--   ARGV[4]  cursor
--   ARGV[5]  begun
--   ARGV[6]  1 if it found messages without a webhook; 0 if not; empty: not known yet
--   ARGV[7]  for how long its position is stored (ms)
-- Answers 1.
local location, following, missed = ARGV[1], tonumber(ARGV[2]), ARGV[6]
local progress = key('sweep', location)
redis.call('HSET', progress, 'since', ARGV[3], 'cursor', ARGV[4], 'begun', ARGV[5])
redis.call('PEXPIRE', progress, ARGV[7])
if following < 0 then
  redis.call('ZREM', key('sweeps'), location)
elseif redis.call('EXISTS', key('location', location)) == 1 then
  redis.call('ZADD', key('sweeps'), now + following, location)
end
if missed == '1' then redis.call('SADD', key('missed'), location) end
if missed == '0' or following < 0 then redis.call('SREM', key('missed'), location) end
return 1
