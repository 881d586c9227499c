-- Report that a process with these encryption keys is alive.
--   ARGV[1]  digests of its keys
--   ARGV[2]  for how long this counts (ms)
-- Answers 1.
redis.call('ZREMRANGEBYSCORE', key('keys'), '-inf', now)
redis.call('ZADD', key('keys'), now + tonumber(ARGV[2]), ARGV[1])
return 1
