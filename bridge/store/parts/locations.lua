-- What becomes of a location, and what its events tell of its feeds.

-- The moment of a location's newest event is written down no more often than this: most events tell nothing else.
local FEED_NOTED_MS = 5000

-- Note that an event of a location has come.
--   marketplace  whether GHL's marketplace brought it
--   leaving      whether it tells of a message that left
local function note_event(location, marketplace, leaving)
  local record = key('location', location)
  local known = redis.call('HMGET', record, 'last_event_at', 'marketplace_at', 'unheard')
  local stale = now - tonumber(known[1] or 0) >= FEED_NOTED_MS
  if stale or marketplace and now - tonumber(known[2] or 0) >= FEED_NOTED_MS then
    redis.call('HSET', record, 'last_event_at', now, unpack(marketplace and {'marketplace_at', now} or {}))
  end
  if leaving and (known[3] or '0') ~= '0' then redis.call('HSET', record, 'unheard', 0) end
end

-- The app is there again: what was written before this moment is not answered.
-- Answers 1, or 0 when it was not gone.
local function reactivate(location)
  local record = key('location', location)
  local stopped = redis.call('HDEL', record, 'uninstalled_at')
  if stopped == 1 then redis.call('HSET', record, 'activated_at', now) end
  return stopped
end

-- Forget tokens.
--   name  of the grant: `location:ID` or `company:ID`
local function forget_grant(name)
  redis.call('DEL', key('grant', name))
  redis.call('ZREM', key('grants'), name)
end

-- Whether this partition is here: it is marked when the state gets its first location. One without its mark was emptied, was
-- never filled, or is another server's, and nothing may be promised in it.
-- Answers true or false.
local function is_owned() return redis.call('EXISTS', key('owned')) == 1 end
