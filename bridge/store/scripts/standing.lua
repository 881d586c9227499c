-- Tell how things stand with a contact.
-- ARGV: lane, conversation id, retention (ms)
-- Answers {fields of the standing, replies of the last 24 hours, the oldest of them (ms), whether the location has brought a
-- marketplace event within a week}.
-- Needs: standings
local lane, retention = ARGV[1], tonumber(ARGV[3])
local location, contact = split(lane)
local record = key('standing', lane)
for _, id in ipairs({contact, ARGV[2]}) do adopt_pause(lane, id, retention) end
local replies = key('replies', lane)
local day_ago = now - 24 * 3600 * 1000
local oldest = redis.call('ZRANGEBYSCORE', replies, day_ago, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {
  redis.call('HGETALL', record), redis.call('ZCOUNT', replies, day_ago, '+inf'), oldest[2] or '0',
  now - tonumber(redis.call('HGET', key('location', location), 'marketplace_at') or 0) < 7 * 24 * 3600 * 1000 and 1 or 0,
}
