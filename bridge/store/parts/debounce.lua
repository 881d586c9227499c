-- Debounce: how long the messages of a burst wait for the next one. `reschedule` of parts/schedule.lua applies it.

-- The end of the debounce: when the contact has been quiet for `debounce_seconds`, but after its maximum at the latest.
-- Answers it (ms).
local function debounced_at(lane)
  local location = split(lane)
  local waiting = key('waiting', lane)
  local oldest, newest = redis.call('LINDEX', waiting, 0), redis.call('LINDEX', waiting, -1)
  local first = redis.call('HGET', key('message', location, oldest), 'at')
  local last = oldest == newest and first or redis.call('HGET', key('message', location, newest), 'at')
  local settings = redis.call('HMGET', key('location', location), 'debounce_ms', 'debounce_max_ms')
  local debounce, most = tonumber(settings[1] or 0), tonumber(settings[2] or 0)
  -- No message is newer than now, unless the clock has jumped back since.
  return math.min(math.min(tonumber(last) or now, now) + debounce, math.min(tonumber(first) or now, now) + most)
end
