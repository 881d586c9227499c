-- Check that Redis accepts writes, with a small one: if it works, webhooks can be accepted.
--   ARGV[1]  name of the check: `write`, or `fsync`
--   ARGV[2]  its result
--   ARGV[3]  for how long the result counts (ms)
-- Answers whether this partition has its mark (parts/locations.lua): 1 or 0.
-- Needs: locations
redis.call('SET', key('probe', ARGV[1]), ARGV[2], 'PX', ARGV[3])
return is_owned() and 1 or 0
