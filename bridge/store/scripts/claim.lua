-- Tell that this worker lives, and take as many due lanes as all live workers together have free slots, locations in turn.
-- A claimed lane is moved a lease ahead, never removed: whoever claimed it may die.
-- ARGV: worker, its slots, how long it counts as alive without another call (ms), lease (ms), at most
-- Answers {ms until the next lane is due (-1: none, or no slot to give it), lane, lane, ...}.
local worker, slots = ARGV[1], ARGV[2]
local alive, lease, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', key('workers'), '-inf', now)
redis.call('ZADD', key('workers'), now + alive, worker .. ':' .. slots)

-- Nobody claimed for longer than a lease: Redis was away, or every worker was. Leases have lapsed meanwhile whose work goes on;
-- their heartbeats get one lease to take them back before anybody else may have the lanes.
local before = tonumber(redis.call('GET', key('claimed')) or now)
redis.call('SET', key('claimed'), now)
if now - before > lease and redis.call('ZCARD', key('inflight')) > 0 then redis.call('SET', key('patience'), 1, 'PX', lease) end
local patience = redis.call('PTTL', key('patience'))
if patience > 0 then return {patience} end
redis.call('ZREMRANGEBYSCORE', key('inflight'), '-inf', now)

-- Lanes that wait for a provider: one of them tries when it is time to, all are woken, some at a time, when it answers again.
local function wake(lane)
  local record = key('lane', lane)
  if redis.call('HEXISTS', record, 'parked') == 0 or leased(lane) then return false end
  redis.call('HDEL', record, 'parked', 'not_before')
  reschedule(lane)
  return true
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('circuits'), '-inf', now, 'LIMIT', 0, 10)) do
  local waiting, is = key('circuit', id, 'waiting'), redis.call('HMGET', key('circuit', id), 'since', 'every')
  local wanted = is[1] and 1 or most
  while wanted > 0 do
    local lane = redis.call('ZPOPMIN', waiting)[1]
    if not lane then break end
    if wake(lane) then wanted = wanted - 1 end
  end
  if is[1] then
    redis.call('ZADD', key('circuits'), now + tonumber(is[2]), id)
  elseif redis.call('EXISTS', waiting) == 0 then
    redis.call('ZREM', key('circuits'), id)
    redis.call('SREM', key('circuits', 'open'), id)
  end
end

local free = -redis.call('ZCARD', key('inflight'))
for _, member in ipairs(redis.call('ZRANGE', key('workers'), 0, -1)) do
  free = free + tonumber(member:match(':(%d+)$'))
end
free = math.min(free, most)

local granted = {}
local locations = free > 0 and redis.call('ZRANGEBYSCORE', key('due'), '-inf', now, 'LIMIT', 0, free) or {}
for turn, location in ipairs(locations) do
  local share = math.ceil((free - #granted) / (#locations - turn + 1))
  local lanes = redis.call('ZRANGEBYSCORE', key('due', location), '-inf', now, 'LIMIT', 0, share)
  for _, contact in ipairs(lanes) do
    redis.call('ZADD', key('due', location), now + lease, contact)
    redis.call('ZADD', key('inflight'), now + lease, location .. ':' .. contact)
    granted[#granted + 1] = location .. ':' .. contact
  end
  local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')
  if not head[1] then
    redis.call('ZREM', key('due'), location)
  else
    -- Served just now: behind everyone who has waited since before this moment.
    redis.call('ZADD', key('due'), math.max(tonumber(head[2]), #lanes > 0 and now or 0), location)
  end
end

local next = free > 0 and redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2]
table.insert(granted, 1, next and math.max(0, tonumber(next) - now) or -1)
return granted
