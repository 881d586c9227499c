-- Note that the app is installed in a location. The location is known from now on, even without settings.
--   ARGV[1]  location
--   ARGV[2]  agency; empty: not known
--   ARGV[3]  the event's own time (ms; 0: now)
--   ARGV[4]  event for replayed dead letters (JSON)
--   ARGV[5]  retention (ms)
-- Answers 1, or 0 if a newer event says that it was uninstalled.
-- Needs: replay, locations
local location, agency, at = ARGV[1], ARGV[2], tonumber(ARGV[3])
at = at > 0 and math.min(at, now) or now
local record = key('location', location)
local is = redis.call('HMGET', record, 'installed_at', 'uninstalled_at', 'hold')
if at < math.max(tonumber(is[2] or 0), tonumber(redis.call('GET', key('gone', location)) or 0)) then return 0 end
if agency ~= '' then redis.call('HSET', record, 'company', agency) end
redis.call('SADD', key('installs'), location)
redis.call('PERSIST', record)
redis.call('DEL', key('gone', location))
reactivate(location)
if at <= tonumber(is[1] or 0) then return 1 end
redis.call('HSET', record, 'installed_at', string.format('%d', at))
if not is[3] then
  -- The event can arrive before the new tokens are stored: messages that failed with the old ones are replayed once they are.
  replay_refused(location, 'ghl', ARGV[4], tonumber(ARGV[5]))
  ring_if_due()
elseif at >= tonumber(is[3]) then
  lift_hold(location, ARGV[4], tonumber(ARGV[5]))
end
return 1
