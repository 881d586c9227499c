-- What is left of the budgets of some locations.
--   ARGV[1...]  location, location
-- Answers for each location: left and most of an interval, the interval (ms), left and most of the day, rest of its wait (ms).
-- Needs: budget
local found = {}
for _, location in ipairs(ARGV) do
  local limits = limits_of(location)
  local spent = redis.call('ZCOUNT', key('budget', location), string.format('(%d', now - limits.interval), '+inf')
  local today = redis.call('GET', day_of(location)) or 0
  table.insert(found, {
    math.max(0, limits.most - spent), limits.most, limits.interval, math.max(0, limits.daily - today), limits.daily,
    opens_at(location) - now,
  })
end
return found
