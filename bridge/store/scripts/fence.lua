-- Does this token still hold the lane, and for how long?
-- ARGV: lane, token
-- Answers the milliseconds left, or -1.
if not holds(ARGV[1], ARGV[2]) then return -1 end
return tonumber(redis.call('HGET', key('lane', ARGV[1]), 'lease_until')) - now
