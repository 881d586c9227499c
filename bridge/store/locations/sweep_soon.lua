-- Sweep a location earlier than planned, because a webhook mentioned a message without containing it.
--   ARGV[1]  location
--   ARGV[2]  how soon (ms from now)
-- Answers 1, or 0 if the location is not known or never swept.
local location = ARGV[1]
if not redis.call('ZSCORE', key('sweeps'), location) then return 0 end
redis.call('ZADD', key('sweeps'), 'XX', 'LT', now + tonumber(ARGV[2]), location)
return 1
