-- Does this token still hold the lane, and for how long; and how do things stand with the contact?
-- ARGV: lane, token
-- Answers {the milliseconds left, or -1, revision of the standing}.
-- Needs: standings
local left = holds(ARGV[1], ARGV[2]) and tonumber(redis.call('HGET', key('lane', ARGV[1]), 'lease_until')) - now or -1
return {left, revision(ARGV[1])}
