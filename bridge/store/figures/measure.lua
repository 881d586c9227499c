-- Measure the gauges. This reads every location and every worker, but only the first lane of each location that is due: a thousand
-- locations take about a millisecond, however many lanes wait.
--   KEYS[1...]  prefixes of the partitions
-- Answers {ids of open circuits, live workers (`name:slots`), name, number, name, number, ...}.
-- Needs: schedule
local function cards(ids)
  local sum = 0
  for _, location in ipairs(ids) do sum = sum + redis.call('ZCARD', key('due', location)) end
  return sum
end

-- The members of a key that most partitions don't have.
local function members(command, name, ...) return missing[name] and {} or redis.call(command, name, ...) end

-- A claim does not change how long a lane has waited, nor does a wait until it can be opened. An erased lane, or one whose
-- location is on hold, does not count.
local function waited(since)
  local longest = 0
  for _, lane in ipairs(members('ZRANGE', since, 0, 99)) do
    local location, contact = split(lane)
    local waits = redis.call('ZSCORE', key('due', location), contact) and redis.call('SISMEMBER', key('holds'), location) == 0
    if waits then longest = math.max(longest, now - tonumber(redis.call('ZSCORE', since, lane))) end
  end
  return longest
end
-- A location's own score is its place in the queue; only its oldest lane shows how long that has waited.
local function longest_due()
  local oldest = now
  for _, location in ipairs(redis.call('ZRANGEBYSCORE', key('due'), '-inf', now)) do
    local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
    oldest = math.min(oldest, tonumber(head or now))
  end
  return now - oldest
end

local lanes, held, overdue_ms, unheard_ms, unopened_ms, on_hold = 0, 0, 0, 0, 0, 0
local sums, down = {in_flight = 0, retrying = 0, dead_letters = 0, locations = 0}, {}
for at = 1, #KEYS do
  prefix = KEYS[at]
  look_for(key('holds'), key('unheard'), key('unopened'), key('retrying'), key('dead'), key('circuits', 'open'))
  local ids = members('SMEMBERS', key('holds'))
  local waits = cards(ids)
  held, on_hold = held + waits, on_hold + #ids
  lanes = lanes + waits + cards(redis.call('ZRANGE', key('due'), 0, -1))
  unheard_ms, unopened_ms = math.max(unheard_ms, waited(key('unheard'))), math.max(unopened_ms, waited(key('unopened')))
  overdue_ms = math.max(overdue_ms, longest_due(), unheard_ms, unopened_ms)
  sums.in_flight = sums.in_flight + redis.call('ZCOUNT', key('inflight'), now, '+inf')
  sums.retrying = sums.retrying + (missing[key('retrying')] and 0 or redis.call('SCARD', key('retrying')))
  sums.dead_letters = sums.dead_letters + (missing[key('dead')] and 0 or redis.call('ZCARD', key('dead')))
  sums.locations = sums.locations + redis.call('SCARD', key('locations'))
  for _, id in ipairs(members('SMEMBERS', key('circuits', 'open'))) do down[id] = true end
end

-- One server has one list of workers, at home; in a cluster a worker is in each partition that it claims in.
local workers, open = {}, {}
for at = 1, #KEYS do
  prefix = KEYS[at]
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', key('workers'), string.format('(%d', now), '+inf')) do
    workers[#workers + 1] = worker
  end
end
for id in pairs(down) do open[#open + 1] = id end
return {
  open, workers,
  'lanes', lanes, 'held', held, 'overdue_ms', overdue_ms, 'unheard_ms', unheard_ms, 'unopened_ms', unopened_ms,
  'in_flight', sums.in_flight, 'retrying', sums.retrying,
  'dead_letters', sums.dead_letters, 'locations', sums.locations, 'on_hold', on_hold,
}
