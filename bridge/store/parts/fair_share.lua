-- The slots of workers: who holds one, and the fair share of each location. lanes/claim.lua hands them out.

-- How many slots some locations hold, as far as this script has counted them: by the key.
local held_by = {}

-- Take a worker's slot for a lane, until a time at which it is freed by itself, because a killed process frees nothing.
--   at  that time (ms)
local function take_slot(lane, at)
  local its = key('inflight', (split(lane)))
  redis.call('ZADD', key('inflight'), at, lane)
  redis.call('ZADD', its, at, lane)
  held_by[its] = nil
  redis.call('PEXPIRE', its, at - now + 60000)
end

-- Free the slot that a lane holds.
-- Answers whether it held one.
local function free_slot(lane)
  redis.call('ZREM', key('inflight', (split(lane))), lane)
  return redis.call('ZREM', key('inflight'), lane) == 1
end

-- How many slots a location may take now: it may hold nine times the number of free slots, of which one does not count. A single
-- location gets all but the reserve; another one finds free slots; a location above its share gets none until it is below it
-- (infra/decisions/0005).
--   free         free slots of all live workers
--   most_of_one  slots that one location may hold at most
--   requests     turns that its rate limit at GHL allows
-- Answers the number of slots.
local function fair_share(location, free, most_of_one, requests)
  local its = key('inflight', location)
  local held = held_by[its] or redis.call('ZCOUNT', its, string.format('(%d', now), '+inf')
  held_by[its] = held
  local fair = math.floor((9 * (free - 1) - held) / 10) + 1
  return math.max(0, math.min(fair, most_of_one - held, requests))
end
