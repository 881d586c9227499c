-- Permits: counts the bridge's requests to GHL, and refuses those that would exceed a location's rate limit, before GHL answers 429.
-- After a 429: limits/rate_limited.lua. The slots of workers: fair_share.lua.
-- Needs: budget

-- Store the rate limit that GHL's headers reported last.
--   permit  see `Permit` of bridge/store/lanes/patch.py
local function learn_limits(location, permit)
  local spent, day = key('budget', location), day_of(location)
  -- GHL's count includes other clients with the same budget, so a difference is stored beside the bridge's own count.
  if permit.most or permit.most_daily then
    local before = limits_of(location)
    for name, told in pairs({most = permit.most, interval = permit.interval_ms, daily = permit.most_daily}) do
      redis.call('HSET', key('limits', location), name, told)
    end
    redis.call('PEXPIRE', key('limits', location), DAY)
    if permit.most and permit.most > before.most then unblock(location) end
  end
  local limits = (permit.left or permit.left_daily) and limits_of(location)
  if permit.left and permit.ago < limits.interval then
    redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval)
    local then_ = now - permit.ago
    local others = limits.most - permit.left - redis.call('ZCOUNT', spent, '-inf', then_)
    for number = 1, math.min(others, 500) do redis.call('ZADD', spent, then_, permit.nonce .. ':' .. number) end
    redis.call('PEXPIRE', spent, limits.interval)
  end
  if permit.left_daily and limits.daily - permit.left_daily > tonumber(redis.call('GET', day) or 0) then
    redis.call('SET', day, limits.daily - permit.left_daily, 'PX', 2 * DAY)
  end
end

-- Reserve some requests before they are made, while half of the share of their urgency is free; so others can still acquire
-- theirs when they need them. They count as made at the latest time at which they may be made.
--   permit  see `Permit` of bridge/store/lanes/patch.py
--   some    how many at most
--   valid   how long they may be made (ms)
--   again   whether this may have been asked before
-- Answers how many were taken.
local function acquire_ahead(location, permit, some, valid, again)
  if some < 1 then return 0 end
  local spent, day = key('budget', location), day_of(location)
  local limits, part = limits_of(location), permit.part / 100
  if again and redis.call('ZSCORE', spent, permit.nonce .. ':ahead1') then return some end
  if now_and_then then redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval) end
  local used = redis.call('ZCOUNT', spent, string.format('(%d', now - limits.interval), '+inf')
  local free = math.floor(limits.most * part / 2) - used
  local known = redis.call('MGET', day, key('refused', location))
  some = math.min(some, free, math.floor(limits.daily * part) - tonumber(known[1] or 0))
  if some < 1 or known[2] then return 0 end
  local members = {}
  for number = 1, some do members[#members + 1], members[#members + 2] = now + valid, permit.nonce .. ':ahead' .. number end
  redis.call('ZADD', spent, unpack(members))
  redis.call('PEXPIRE', spent, limits.interval + valid)
  if redis.call('INCRBY', day, some) == some then redis.call('PEXPIRE', day, 2 * DAY) end
  return some
end

-- Take one request from a location's budget, if a request of this urgency is still allowed.
--   permit  see `Permit` of bridge/store/lanes/patch.py
--   once    whether this is surely asked for the first time
-- Answers 0 when it was taken, else the ms after which there is room.
local function acquire(location, permit, once)
  local spent, day = key('budget', location), day_of(location)
  local limits, part = limits_of(location), permit.part / 100
  redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval)
  if not once and redis.call('ZSCORE', spent, permit.nonce) then return 0 end
  local known = redis.call('MGET', day, key('refused', location))
  local wait = known[2] and redis.call('PTTL', key('refused', location)) or 0
  if tonumber(known[1] or 0) >= math.max(1, math.floor(limits.daily * part)) then
    wait = math.max(wait, DAY - now % DAY)
  end
  local used, room = redis.call('ZCARD', spent), math.max(1, math.floor(limits.most * part))
  if used >= room then
    -- Wait for a few requests together; otherwise every freed request would wake as many lanes as there are slots.
    local last = math.min(used - 1, used - room + math.floor(limits.most / 20))
    local oldest = redis.call('ZRANGE', spent, last, last, 'WITHSCORES')[2]
    wait = math.max(wait, tonumber(oldest) + limits.interval - now, 1)
  end
  if wait > 0 then
    if permit.waits then block(location, wait) end
    return wait
  end
  redis.call('ZADD', spent, now, permit.nonce)
  redis.call('PEXPIRE', spent, limits.interval)
  if redis.call('INCR', day) == 1 then redis.call('PEXPIRE', day, 2 * DAY) end
  return 0
end
