-- How much there is of everything now. It looks at every location and every worker, and of the lanes only at the first of each
-- location that is due: a thousand locations take about a millisecond, however many lanes wait.
--   ARGV[1]  circuit of what GHL is asked
--   ARGV[2]  circuit of what is posted into GHL
-- Answers name, number, name, number, ...
-- Needs: schedule
local function cards(ids)
  local sum = 0
  for _, location in ipairs(ids) do sum = sum + redis.call('ZCARD', key('due', location)) end
  return sum
end
local on_hold = redis.call('SMEMBERS', key('holds'))
local held = cards(on_hold)

-- A location's own score is its place in the queue; how long its oldest lane waits only that lane tells.
local oldest = now
for _, location in ipairs(redis.call('ZRANGEBYSCORE', key('due'), '-inf', now)) do
  local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
  oldest = math.min(oldest, tonumber(head or now))
end

-- A claim makes no lane younger, nor does a wait until it can be opened. One that is erased, or whose location is on hold, waits
-- for
-- nothing.
local function waited(since)
  local longest = 0
  for _, lane in ipairs(redis.call('ZRANGE', since, 0, 99)) do
    local location, contact = split(lane)
    local waits = redis.call('ZSCORE', key('due', location), contact) and redis.call('SISMEMBER', key('holds'), location) == 0
    if waits then longest = math.max(longest, now - tonumber(redis.call('ZSCORE', since, lane))) end
  end
  return longest
end
local unheard_ms, unopened_ms = waited(key('unheard')), waited(key('unopened'))
oldest = math.min(oldest, now - unheard_ms, now - unopened_ms)

local open = key('circuits', 'open')
local ghl = redis.call('SISMEMBER', open, ARGV[1]) + redis.call('SISMEMBER', open, ARGV[2])

local slots = 0
local workers = redis.call('ZRANGEBYSCORE', key('workers'), string.format('(%d', now), '+inf')
for _, worker in ipairs(workers) do slots = slots + tonumber(worker:match(':(%d+)$')) end
return {
  'lanes', cards(redis.call('ZRANGE', key('due'), 0, -1)) + held, 'held', held, 'overdue_ms', now - oldest, 'unheard_ms', unheard_ms,
  'unopened_ms', unopened_ms,
  'in_flight', redis.call('ZCOUNT', key('inflight'), now, '+inf'), 'retrying', redis.call('SCARD', key('retrying')),
  'workers', #workers, 'slots', slots,
  'dead_letters', redis.call('ZCARD', key('dead')),
  'locations', redis.call('SCARD', key('locations')), 'on_hold', #on_hold,
  'providers_down', redis.call('SCARD', open) - ghl, 'ghl_down', math.min(ghl, 1),
}
