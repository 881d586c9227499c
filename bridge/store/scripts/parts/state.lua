-- Time is Redis' own, in whole milliseconds; keys are built here and nowhere else.
-- Stands before every script. One may be sent again by a client that lost the answer: each does the same the second time.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function key(...) return 'ghlb:' .. table.concat({...}, ':') end

-- What is learnt of a location that was removed meanwhile must not make it a location again.
local function learn(location, ...)
  local record = key('location', location)
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, ...) end
end

local function split(lane) return lane:match('^([^:]+):([^:]+)$') end

local function rows(flat)
  local found = {}
  for at = 1, #flat, 2 do found[flat[at]] = flat[at + 1] end
  return found
end

local function point(id, lane, retention)
  if id ~= '' then redis.call('SET', key('index', id), lane, 'PX', retention) end
end

-- A hash that ever held a long value stays large, even without it: written anew it takes a third of the memory.
-- Whatever it had of an expiry is gone.
local function forget(name, ...)
  redis.call('HDEL', name, ...)
  local left = redis.call('HGETALL', name)
  redis.call('DEL', name)
  if #left > 0 then redis.call('HSET', name, unpack(left)) end
end

-- Redis lets a script pass at `maxmemory` whose first write can't grow memory. Those that carry work on begin with this one, so
-- that a full Redis drains.
local function pass_when_full() redis.call('DEL', key('full')) end

