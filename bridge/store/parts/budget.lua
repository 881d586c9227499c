-- How many requests a location has left at GHL, and how long it waits when none are left.
-- Needs: wakeups

-- A location's rate limit at GHL is a number of requests in an interval, and a number in a day.
local DAY = 24 * 3600 * 1000

-- A location's rate limit: as GHL's headers said, else the published one.
-- Answers {most = requests in an interval, interval = ms, daily = requests in a day}.
local function limits_of(location)
  local told = redis.call('HMGET', key('limits', location), 'most', 'interval', 'daily')
  return {most = tonumber(told[1] or 100), interval = tonumber(told[2] or 10000), daily = tonumber(told[3] or 200000)}
end

-- The key under which a location's requests of today (UTC) are counted.
-- Answers it.
local function day_of(location) return key('budget', location, string.format('%d', math.floor(now / DAY))) end

-- When a location may send again. Until then it holds no slot and is not due.
-- Answers that time (ms); now if the location does not wait.
local function opens_at(location)
  local busy = key('busy', location)
  return missing[busy] and now or now + math.max(0, redis.call('PTTL', busy))
end

-- Let a location wait. A wait that ends later is not shortened.
--   ms  how long; may have a fraction
local function block(location, ms)
  ms = math.ceil(ms)
  if ms <= redis.call('PTTL', key('busy', location)) then return end
  redis.call('SET', key('busy', location), 1, 'PX', string.format('%d', ms))
  redis.call('ZADD', key('due'), 'XX', 'GT', now + ms, location)
end

-- End a location's wait.
local function unblock(location)
  redis.call('DEL', key('busy', location))
  if redis.call('ZADD', key('due'), 'XX', 'LT', 'CH', now, location) == 1 then ring() end
end
