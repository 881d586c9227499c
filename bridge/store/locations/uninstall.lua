-- Note that the app was uninstalled: from a location, or from an agency and all locations that were installed through it. Their
-- tokens are deleted.
--   ARGV[1]  location; empty for an agency
--   ARGV[2]  agency; empty for a location
--   ARGV[3]  the event's own time (ms; 0: now)
--   ARGV[4]  retention (ms)
--   ARGV[5]  how long late events are feared (ms)
-- Answers how many locations stop by it.
-- Needs: locations
local location, agency, at, retention = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
at = at > 0 and math.min(at, now) or now

local function stop(id)
  local record = key('location', id)
  local is = redis.call('HMGET', record, 'installed_at', 'uninstalled_at', 'settings')
  if at < tonumber(is[1] or 0) then return 0 end
  if at > tonumber(redis.call('GET', key('gone', id)) or 0) then
    redis.call('SET', key('gone', id), string.format('%d', at), 'PX', ARGV[5])
  end
  forget_grant('location:' .. id)
  redis.call('SREM', key('installs'), id)
  if redis.call('EXISTS', record) == 0 or is[2] then return 0 end
  redis.call('HSET', record, 'uninstalled_at', string.format('%d', at))
  if not is[3] then redis.call('PEXPIRE', record, retention) end
  return 1
end

if location ~= '' then return stop(location) end
local stopped = 0
for _, id in ipairs(redis.call('SMEMBERS', key('agency', agency))) do stopped = stopped + stop(id) end
local installed = tonumber(redis.call('HGET', key('grant', 'company:' .. agency), 'kept_at') or 0)
if at >= installed then forget_grant('company:' .. agency) end
return stopped
