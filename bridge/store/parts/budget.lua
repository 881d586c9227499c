-- How many requests GHL still takes from a location, and until when it waits for more.
-- Needs: wakeups

-- GHL's budget of a location, as it told or as it is published: requests in an interval, and a day.
local DAY = 24 * 3600 * 1000

-- What GHL allows a location, as it told, else as it is published.
-- Answers {most = requests in an interval, interval = ms, daily = requests in a day}.
local function limits_of(location)
  local told = redis.call('HMGET', key('limits', location), 'most', 'interval', 'daily')
  return {most = tonumber(told[1] or 100), interval = tonumber(told[2] or 10000), daily = tonumber(told[3] or 200000)}
end

-- The key under which a location's requests of today (UTC) are counted.
-- Answers it.
local function day_of(location) return key('budget', location, string.format('%d', math.floor(now / DAY))) end

-- While its budget is used up a location waits without holding a slot: it stands in `due` no earlier than that.
-- Answers that moment (ms); now if the location does not wait.
local function opens_at(location) return now + math.max(0, redis.call('PTTL', key('busy', location))) end

-- Let a location wait; a wait that ends later stays as it is.
--   ms  for how long; need not be whole
local function block(location, ms)
  ms = math.ceil(ms)
  if ms <= redis.call('PTTL', key('busy', location)) then return end
  redis.call('SET', key('busy', location), 1, 'PX', string.format('%d', ms))
  redis.call('ZADD', key('due'), 'XX', 'GT', now + ms, location)
end

-- Let a location wait no longer.
local function unblock(location)
  redis.call('DEL', key('busy', location))
  if redis.call('ZADD', key('due'), 'XX', 'LT', 'CH', now, location) == 1 then ring() end
end
