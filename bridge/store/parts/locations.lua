-- Whether a location is known and active, and when its last events arrived.

-- The time of a location's newest event is written at most once in this time, because most events change nothing else.
local FEED_NOTED_MS = 5000

-- Note that an event of a location has arrived.
--   marketplace  whether it is a marketplace event
--   leaving      whether it reports an outbound message
--   known        list of its fields last_event_at, marketplace_at, unheard; nil: they were not read
local function note_event(location, marketplace, leaving, known)
  local record = key('location', location)
  known = known or redis.call('HMGET', record, 'last_event_at', 'marketplace_at', 'unheard')
  local stale = now - tonumber(known[1] or 0) >= FEED_NOTED_MS
  if stale or marketplace and now - tonumber(known[2] or 0) >= FEED_NOTED_MS then
    redis.call('HSET', record, 'last_event_at', now, unpack(marketplace and {'marketplace_at', now} or {}))
  end
  if leaving and (known[3] or '0') ~= '0' then redis.call('HSET', record, 'unheard', 0) end
end

-- Note that the app is installed again: messages from before are not answered.
-- Answers 1, or 0 if it was not uninstalled.
local function reactivate(location)
  local record = key('location', location)
  local stopped = redis.call('HDEL', record, 'uninstalled_at')
  if stopped == 1 then redis.call('HSET', record, 'activated_at', now) end
  return stopped
end

-- Records of a location's contacts may be kept for as long.
local REMOVED_KEPT_MS = 400 * 24 * 3600 * 1000

-- Note that a location was removed, or its app was uninstalled: its contacts' records are still found by their ids.
local function note_removed(location)
  redis.call('ZADD', key('removed'), now, location)
  redis.call('ZREMRANGEBYSCORE', key('removed'), '-inf', now - REMOVED_KEPT_MS)
  redis.call('PEXPIRE', key('removed'), REMOVED_KEPT_MS)
end

-- Every location of the partition that may have records of contacts.
-- Answers a list of them; some may be in it twice.
local function known_locations()
  local found = redis.call('SUNION', key('locations'), key('installs'))
  for _, location in ipairs(redis.call('ZRANGE', key('removed'), 0, -1)) do found[#found + 1] = location end
  return found
end

-- Delete the tokens of a grant.
--   name  of the grant: `location:ID` or `company:ID`
local function forget_grant(name)
  redis.call('DEL', key('grant', name))
  redis.call('ZREM', key('grants'), name)
end

-- Whether this partition is here: it is marked when the state gets its first location. One without its mark was emptied, was
-- never filled, or is another server's, and nothing may be promised in it.
-- Answers true or false.
local function is_owned() return redis.call('EXISTS', key('owned')) == 1 end
