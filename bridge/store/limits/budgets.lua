-- How many requests some locations have left at GHL.
--   KEYS[1...]  prefix of each location
--   ARGV[1...]  location, location
-- Answers for each location: left and most of an interval, the interval (ms), left and most of the day, rest of its wait (ms).
-- Needs: budget
local found = {}
for at, location in ipairs(ARGV) do
  prefix = KEYS[at]
  local limits = limits_of(location)
  local spent = redis.call('ZCOUNT', key('budget', location), string.format('(%d', now - limits.interval), '+inf')
  local today = redis.call('GET', day_of(location)) or 0
  table.insert(found, {
    math.max(0, limits.most - spent), limits.most, limits.interval, math.max(0, limits.daily - today), limits.daily,
    opens_at(location) - now,
  })
end
return found
