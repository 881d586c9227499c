-- Stands before every script. Time is Redis' own, in whole milliseconds; keys are built here and nowhere else.
-- A script may be sent again by a client that lost the answer: each one does the same the second time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key(...) return 'ghlb:' .. table.concat({...}, ':') end

local function split(lane) return lane:match('^([^:]+):([^:]+)$') end

local function tell(lane, event, retention)
  local timeline = key('timeline', lane)
  redis.call('RPUSH', timeline, string.format('%d ', now) .. event)
  redis.call('LTRIM', timeline, -500, -1)
  redis.call('PEXPIRE', timeline, retention)
end

local function point(id, lane, retention)
  if id ~= '' then redis.call('SET', key('index', id), lane, 'PX', retention) end
end

-- A location stands in `due` at the time of its earliest lane, so that no lane of another location is looked at in vain; but
-- never before now: its place behind those who are due already is its turn, and an old lane must not jump that queue.
local function schedule(lane, at)
  local location, contact = split(lane)
  redis.call('ZADD', key('due', location), at, contact)
  local earlier = redis.call('ZADD', key('due'), 'LT', 'CH', math.max(at, now), location) == 1
  if earlier and redis.call('ZRANGE', key('due'), 0, 0)[1] == location then redis.call('PUBLISH', key('wake'), at) end
end

local function unschedule(lane)
  local location, contact = split(lane)
  redis.call('ZREM', key('due', location), contact)
  if redis.call('EXISTS', key('due', location)) == 0 then redis.call('ZREM', key('due'), location) end
end

-- The moment at which a lane's waiting messages want an answer: quiet for the debounce, but never longer than its maximum.
local function quiet_at(lane)
  local location = split(lane)
  local waiting = key('waiting', lane)
  local first = redis.call('HGET', key('message', location, redis.call('LINDEX', waiting, 0)), 'at')
  local last = redis.call('HGET', key('message', location, redis.call('LINDEX', waiting, -1)), 'at')
  local settings = redis.call('HMGET', key('location', location), 'debounce_ms', 'debounce_max_ms')
  local debounce, most = tonumber(settings[1] or 0), tonumber(settings[2] or 0)
  return math.min((tonumber(last) or now) + debounce, (tonumber(first) or now) + most)
end

local function holds(lane, token)
  return redis.call('HGET', key('lane', lane), 'lease') == token
end

-- Redis lets a script pass at `maxmemory` whose first write can't grow memory. Those that carry work on begin with this one, so
-- that a full Redis drains.
local function pass_when_full() redis.call('DEL', key('full')) end

-- What a worker writes while it holds a lane: message fields, lane fields, the ledger of sends, our own message ids, events.
local function apply(lane, patch, retention)
  local location = split(lane)
  for id, fields in pairs(patch.messages or {}) do
    for name, value in pairs(fields) do redis.call('HSET', key('message', location, id), name, value) end
  end
  for name, value in pairs(patch.lane or {}) do redis.call('HSET', key('lane', lane), name, value) end
  for _, id in ipairs(patch.done or {}) do
    redis.call('LREM', key('waiting', lane), 1, id)
    redis.call('PEXPIRE', key('message', location, id), retention)
  end
  for part, entry in pairs(patch.ledger or {}) do
    redis.call('HSET', key('ledger', patch.turn), part, entry)
    redis.call('PEXPIRE', key('ledger', patch.turn), retention)
  end
  for _, id in ipairs(patch.own or {}) do
    redis.call('SET', key('own', location, id), patch.turn, 'PX', retention)
    point(id, lane, retention)
  end
  -- Answers in a row without a claim of delivery tell that this location's provider leaves the delivery to us.
  if patch.claimed == false then redis.call('HINCRBY', key('location', location), 'unclaimed', 1) end
  if patch.claimed == true then redis.call('HSET', key('location', location), 'unclaimed', 0) end
  for _, event in ipairs(patch.events or {}) do tell(lane, event, retention) end
end
