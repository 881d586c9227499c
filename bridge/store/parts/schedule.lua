-- When a lane is due. Who holds a slot for it is parts/fair_share.lua, who may write parts/fencing.lua.
-- Needs: wakeups, budget, fencing, debounce, fair_share, ends, reports

-- A location stands in `due` at the time of its earliest lane, so that no lane of another location is looked at in vain; but
-- never before now: its place behind those who are due already is its turn, and an old lane must not jump that queue.
--   at    when the lane is due (ms)
--   hold  whether the location is on hold; nil: that was not read
local function schedule(lane, at, hold)
  local location, contact = split(lane)
  redis.call('ZADD', key('due', location), at, contact)
  -- On hold, a location stays out of the queue, and its lanes keep their times.
  if hold == nil then hold = redis.call('HEXISTS', key('location', location), 'hold') == 1 end
  if hold then return end
  local earlier = redis.call('ZADD', key('due'), 'LT', 'CH', math.max(at, opens_at(location)), location) == 1
  if earlier and redis.call('ZRANGE', key('due'), 0, 0)[1] == location then ring() end
end

-- Remove a lane from the schedule.
--   heard  whether no wake-up for it can be under way
local function unschedule(lane, heard)
  local location, contact = split(lane)
  redis.call('ZREM', key('due', location), contact)
  if not missing[key('retrying')] then redis.call('SREM', key('retrying'), lane) end
  if not heard then redis.call('ZREM', key('unheard'), lane) end
  if not missing[key('unopened')] then redis.call('ZREM', key('unopened'), lane) end
  if redis.call('EXISTS', key('due', location)) == 0 then redis.call('ZREM', key('due'), location) end
end

-- Whether a lane waits because of its location's settings, and not for a retry, a provider or a read-back.
-- Answers true or false.
local function waits_by_settings(lane)
  local location = split(lane)
  local first = redis.call('LINDEX', key('waiting', lane), 0)
  if redis.call('HEXISTS', key('lane', lane), 'replaying') == 1 then return false end
  return first and redis.call('HGET', key('message', location, first), 'status') == 'waiting'
end

-- Put a lane that nobody holds on the schedule, or off it when nothing stands in it. A replay waits for no quiet.
--   over   whether its turn has just been forgotten
--   heard  as for `unschedule`
-- Answers whether something stands in it.
local function reschedule(lane, over, heard)
  local record = key('lane', lane)
  local known = over and {} or redis.call('HMGET', record, 'not_before', 'replaying')
  local not_before = tonumber(known[1] or 0)
  if known[2] or is_there(key('replays', lane)) then
    schedule(lane, math.max(not_before, now))
  elseif redis.call('EXISTS', key('waiting', lane)) == 1 then
    schedule(lane, math.max(not_before, debounced_at(lane)))
  else
    unschedule(lane, heard)
    return false
  end
  return true
end

-- Wake the dispatcher if a lane is due, or if one of another partition waits for the slot that becomes free.
local function ring_if_due()
  local head = redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2]
  if head and tonumber(head) <= now or is_there(key('short')) then ring() end
end

local OF_TURN = {
  'lease', 'lease_until', 'leased_at', 'unfinished', 'not_before', 'written', 'parked', 'turn', 'attempts', 'answer', 'answered',
  'answered_at', 'looks', 'asks', 'stale', 'replaying', 'claimed', 'parts', 'asked', 'reconsider', 'until_newer', 'asked_for', 'usage',
  'looked_for_turn',
}

-- A turn is over, and nothing of it may reach the next one; what is known of its lane stays, and what it has used is reported.
--   is  table of the lane's record; nil: it was not read
local function forget_turn(lane, is)
  local turn = forget(key('lane', lane), OF_TURN, is)
  for used in (turn.usage or ''):gmatch('%S+') do report((split(lane)), 't', now, used) end
end

-- A lane in which nothing stands is kept for its time.
--   empty  whether nothing stands in it; nil: that isn't known
local function keep_lane(lane, retention, empty)
  local location, contact = split(lane)
  if not empty and redis.call('ZSCORE', key('due', location), contact) then return end
  redis.call('PEXPIRE', key('lane', lane), retention)
  if not missing[key('carried', lane)] then redis.call('PEXPIRE', key('carried', lane), retention) end
end
