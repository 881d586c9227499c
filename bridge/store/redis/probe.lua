-- Check that Redis accepts writes, with a small one: if it works, webhooks can be accepted.
--   ARGV[1]  what is looked for: `write`, or `fsync`
--   ARGV[2]  what was found
--   ARGV[3]  for how long that is believed (ms)
-- Answers whether this state ever had a location: 1 or 0.
-- Needs: locations
redis.call('SET', key('probe', ARGV[1]), ARGV[2], 'PX', ARGV[3])
return had_location() and 1 or 0
