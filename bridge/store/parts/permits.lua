-- Permits: counts the bridge's requests to GHL, and refuses those that would exceed a location's rate limit, before GHL answers 429.
-- After a 429: limits/rate_limited.lua. The slots of workers: fair_share.lua.
-- Needs: budget

-- Keep a record of requests for a while. A new one, and now and then one that is in use, gets its expiry.
--   spent   its key
--   limits  see `limits_of`
--   used    how many requests it had in the interval
local function keep_spent(spent, limits, used)
  if used == 0 or now_and_then then redis.call('PEXPIRE', spent, 12 * limits.interval) end
end

-- Count requests of the day.
--   some  how many
--   most  of the day for their urgency
-- Answers whether the rate limit allows them; else nothing is counted.
local function count_today(location, some, most)
  local day = day_of(location)
  local today = redis.call('INCRBY', day, some)
  if today == some then redis.call('PEXPIRE', day, 2 * DAY) end
  if today <= most then return true end
  redis.call('DECRBY', day, some)
  return false
end

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
    keep_spent(spent, limits, 0)
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
  if some < 1 or is_there(key('refused', location)) then return 0 end
  local spent = key('budget', location)
  local limits, part = limits_of(location), permit.part / 100
  if again and redis.call('ZSCORE', spent, permit.nonce .. ':ahead1') then return some end
  if now_and_then then redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval) end
  local used = redis.call('ZCOUNT', spent, string.format('(%d', now - limits.interval), '+inf')
  local free = math.floor(limits.most * part / 2) - used
  some = math.min(some, free)
  if some < 1 or not count_today(location, some, math.floor(limits.daily * part)) then return 0 end
  local members = {}
  for number = 1, some do members[#members + 1], members[#members + 2] = now + valid, permit.nonce .. ':ahead' .. number end
  redis.call('ZADD', spent, unpack(members))
  keep_spent(spent, limits, used)
  return some
end

-- Take one request from a location's budget, if a request of this urgency is still allowed.
--   permit  see `Permit` of bridge/store/lanes/patch.py
--   once    whether this is surely asked for the first time
-- Answers 0 when it was taken, else the ms after which there is room.
local function acquire(location, permit, once)
  local spent, refused = key('budget', location), key('refused', location)
  local limits, part = limits_of(location), permit.part / 100
  if now_and_then then redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval) end
  if not once and redis.call('ZSCORE', spent, permit.nonce) then return 0 end
  local wait = is_there(refused) and redis.call('PTTL', refused) or 0
  local used = redis.call('ZCOUNT', spent, string.format('(%d', now - limits.interval), '+inf')
  local room = math.max(1, math.floor(limits.most * part))
  if used >= room then
    redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval)
    -- Wait for a few requests together; otherwise every freed request would wake as many lanes as there are slots.
    local last = math.min(used - 1, used - room + math.floor(limits.most / 20))
    local oldest = redis.call('ZRANGE', spent, last, last, 'WITHSCORES')[2]
    wait = math.max(wait, tonumber(oldest) + limits.interval - now, 1)
  end
  if wait == 0 and not count_today(location, 1, math.max(1, math.floor(limits.daily * part))) then wait = DAY - now % DAY end
  if wait > 0 then
    if permit.waits then block(location, wait) end
    return wait
  end
  redis.call('ZADD', spent, now, permit.nonce)
  keep_spent(spent, limits, used)
  return 0
end
