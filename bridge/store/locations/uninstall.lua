-- Note that the app was uninstalled from a location. Its tokens are deleted.
--   ARGV[1]  location
--   ARGV[2]  the event's own time (ms; 0: now)
--   ARGV[3]  retention (ms)
--   ARGV[4]  how late older events may still arrive (ms)
-- Answers 1 if the location stops, else 0.
-- Needs: locations
local location, at, retention = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
at = at > 0 and math.min(at, now) or now
local record = key('location', location)
local is = redis.call('HMGET', record, 'installed_at', 'uninstalled_at', 'settings')
if at < tonumber(is[1] or 0) then return 0 end
if at > tonumber(redis.call('GET', key('gone', location)) or 0) then
  redis.call('SET', key('gone', location), string.format('%d', at), 'PX', ARGV[4])
end
forget_grant('location:' .. location)
redis.call('SREM', key('installs'), location)
if redis.call('EXISTS', record) == 0 or is[2] then return 0 end
redis.call('HSET', record, 'uninstalled_at', string.format('%d', at))
note_removed(location)
if not is[3] then redis.call('PEXPIRE', record, retention) end
return 1
