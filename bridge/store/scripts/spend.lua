-- Take one request from a location's budget at GHL, if there is room for one of this urgency.
-- ARGV: location, nonce, part of the budget that it may use up (%), 1 if the location's lanes wait while there is no room,
--       what GHL told last: how long ago (ms), most and left of an interval, the interval (ms), most and left of a day
--       ('' for what it did not tell)
-- Answers 0 when it was taken, else the ms after which there is room.
-- Needs: budget
local location, nonce, part = ARGV[1], ARGV[2], tonumber(ARGV[3]) / 100
local ago, most, left, interval, most_daily, left_daily = unpack(ARGV, 5, 10)
local spent = key('budget', location)
local day = key('budget', location, string.format('%d', math.floor(now / DAY)))

-- GHL counts too, and knows of others that use the same budget: what it counts more than we do is put beside ours.
if most ~= '' or most_daily ~= '' then
  local before = limits_of(location)
  for name, told in pairs({most = most, interval = interval, daily = most_daily}) do
    if told ~= '' then redis.call('HSET', key('limits', location), name, told) end
  end
  redis.call('PEXPIRE', key('limits', location), DAY)
  if most ~= '' and tonumber(most) > before.most then open(location) end
end
local limits = limits_of(location)
redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - limits.interval)
if left ~= '' and tonumber(ago) < limits.interval then
  local then_ = now - tonumber(ago)
  local others = limits.most - tonumber(left) - redis.call('ZCOUNT', spent, '-inf', then_)
  for number = 1, math.min(others, 500) do redis.call('ZADD', spent, then_, nonce .. ':' .. number) end
end
if left_daily ~= '' and limits.daily - tonumber(left_daily) > tonumber(redis.call('GET', day) or 0) then
  redis.call('SET', day, limits.daily - tonumber(left_daily), 'PX', 2 * DAY)
end

if redis.call('ZSCORE', spent, nonce) then return 0 end
local wait = redis.call('PTTL', key('refused', location))
if tonumber(redis.call('GET', day) or 0) >= math.max(1, math.floor(limits.daily * part)) then
  wait = math.max(wait, DAY - now % DAY)
end
local used, room = redis.call('ZCARD', spent), math.max(1, math.floor(limits.most * part))
if used >= room then
  -- A few at once, or every freed request would wake as many lanes as there are slots.
  local last = math.min(used - 1, used - room + math.floor(limits.most / 20))
  local oldest = redis.call('ZRANGE', spent, last, last, 'WITHSCORES')[2]
  wait = math.max(wait, tonumber(oldest) + limits.interval - now, 1)
end
if wait > 0 then
  if ARGV[4] == '1' then shut(location, wait) end
  return wait
end
redis.call('ZADD', spent, now, nonce)
redis.call('PEXPIRE', spent, limits.interval)
redis.call('INCR', day)
redis.call('PEXPIRE', day, 2 * DAY)
return 0
