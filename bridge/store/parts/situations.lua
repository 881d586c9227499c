-- The situation of a contact and its location, on which the guards decide (bridge/store/lanes/situations.py).
-- Needs: standings

local DAY_OF_REPLIES = 24 * 3600 * 1000

-- Read the situation of a contact.
--   conversation  id of the conversation, which an operator may have paused
--   fields        list of names of fields of the location
-- Answers {now (ms), conversation, these fields of the location, fields of the standing, replies of the last 24 hours, time of the
-- oldest of them (ms)}.
local function situation(lane, conversation, fields, retention)
  local location, contact = split(lane)
  for _, id in ipairs({contact, conversation}) do
    if not missing[key('paused', id)] then adopt_pause(lane, id, retention) end
  end
  local replies, since = key('replies', lane), now - DAY_OF_REPLIES
  local oldest = missing[replies] and {} or redis.call('ZRANGEBYSCORE', replies, since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local standing = key('standing', lane)
  return {
    now, conversation, redis.call('HMGET', key('location', location), unpack(fields)),
    missing[standing] and {} or redis.call('HGETALL', standing),
    oldest[2] and redis.call('ZCOUNT', replies, since, '+inf') or 0, oldest[2] or '0',
  }
end
