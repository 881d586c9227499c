-- Report this worker as alive, and claim as many due lanes as all live workers together have free slots, location by location.
-- A claimed lane is due again after a lease and is never removed, because the worker may die.
-- On one server it serves all partitions at once, so that slots are counted exactly, and shared out in one queue. In a cluster it
-- serves one, and the caller tells the free slots.
--   KEYS[1]     prefix of home; in a cluster that of the partition
--   KEYS[2...]  prefixes of the partitions
--   ARGV[1]     worker
--   ARGV[2]     its slots
--   ARGV[3]     for how long it counts as alive without another call (ms)
--   ARGV[4]     lease (ms)
--   ARGV[5]     most lanes to claim
--   ARGV[6]     list for their wake-ups, if the broker is this server; empty: the caller publishes them
--   ARGV[7]     a wake-up (JSON) up to its body
--   ARGV[8]     the rest of it, with `%ID%` in place of its id
--   ARGV[9]     nonce: the beginning of the ids
--   ARGV[10]    its process
--   ARGV[11]    the number of the newest claim of that process that was answered (0: none)
--   ARGV[12]    the number of this claim
--   ARGV[13]    free slots of all live workers; empty: they are counted
--   ARGV[14]    slots that one location may hold at most, if ARGV[13] is told
--   ARGV[15]    1: lanes of partitions that this call does not see wait for a slot; else 0
--   ARGV[16...] numbers of the partitions (0, 1, ...) in which something may be due; the others are left alone
-- Answers {whether a wake-up of any worker got no response (1 or 0), how many partitions were asked, then of each of these {ms until
-- its next lane is due (-1: none, or no free slot), whether the next claim can wait for that time or a wake-up (1; 0: something
-- waits for an event that wakes nobody), whether this worker leads in it (1 or 0)}, then lane, lane, ...}.
-- Needs: schedule, clock, rollback, slots
local worker, slots = ARGV[1], ARGV[2]
local alive, lease, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
pass_when_full()
report_alive(worker .. ':' .. slots, alive)

-- What is known of each partition that is looked at: `prefix`, `leads`, `wait` (ms; nil: it is looked at) and `probes`.
local asked = {}
for at = 16, #ARGV do asked[#asked + 1] = {prefix = KEYS[ARGV[at] + 2]} end

-- What changes by the second is written by the first claim of a second.
local NOTED_MS = 1000

-- One dispatcher, the leader, is woken and claims at the due times; the others are on standby. It leads as long as it claims.
local function lead(leader, first)
  local leads = (leader or worker) == worker
  if leads and (first or not leader) then redis.call('SET', key('leader'), worker, 'PX', LEADS_MS) end
  return leads and 1 or 0
end

local run = run_of_server()
notice_loss(ARGV[10], ARGV[11], ARGV[12])

-- Nobody claimed for longer than a lease: Redis or all workers were down. Leases may have expired although their work continues;
-- their heartbeats get the time of one lease to renew them before another worker may claim the lanes.
-- After this time without any worker, changes of the state may have gone unnoticed.
local UNWATCHED_MS = 60000
local function patience(claimed, patient, first)
  local before = tonumber(claimed or now)
  if now - before > UNWATCHED_MS then note_rollback(false) end
  if first then redis.call('SET', key('claimed'), now) end
  if before - now > NOTICED_MS then clock_jumped_back(before - now) end
  if now - before > lease and redis.call('ZCARD', key('inflight')) > 0 then
    patient = redis.call('SET', key('patience'), 1, 'PX', lease)
  end
  local grace = patient and redis.call('PTTL', key('patience')) or 0
  if grace > 0 then return grace end
  if first then redis.call('ZREMRANGEBYSCORE', key('inflight'), '-inf', now) end
end

-- Lanes that wait for a provider or for GHL. When a probe is due, one of them probes. When the service answers again, all are woken,
-- some at a time, and before any lane is claimed, so that the oldest come first.
local WOKEN_AT_ONCE = 250
local function wake(lane)
  local record = key('lane', lane)
  if redis.call('HEXISTS', record, 'parked') == 0 or leased(lane) then return false end
  redis.call('HDEL', record, 'parked', 'not_before')
  reschedule(lane)
  return true
end
-- Answers whether there are circuits, and whether more lanes are to be woken at once.
local function wake_all()
  local probes = redis.call('ZRANGE', key('circuits'), 0, 0)[1]
  for _, id in ipairs(probes and redis.call('ZRANGEBYSCORE', key('circuits'), '-inf', now, 'LIMIT', 0, 10) or {}) do
    local waiting, is = key('circuit', id, 'waiting'), redis.call('HMGET', key('circuit', id), 'since', 'every')
    local wanted = is[1] and 1 or WOKEN_AT_ONCE
    while wanted > 0 do
      local lane = redis.call('ZPOPMIN', waiting)[1]
      if not lane then break end
      if wake(lane) then wanted = wanted - 1 end
    end
    if is[1] then
      redis.call('ZADD', key('circuits'), now + tonumber(is[2]), id)
    elseif redis.call('EXISTS', waiting) == 1 then
      return probes, true
    else
      redis.call('ZREM', key('circuits'), id)
      redis.call('SREM', key('circuits', 'open'), id)
    end
  end
  return probes, false
end

local looks = {}
for _, one in ipairs(asked) do
  prefix = one.prefix
  local told = redis.call('MGET', key('leader'), key('claimed'), key('patience'), key('server'))
  notice_server(run, told[4])
  local first = not told[2] or math.abs(now - tonumber(told[2])) >= NOTED_MS
  one.leads, one.calm, one.wait = lead(told[1], first), 0, patience(told[2], told[3], first)
  if not one.wait then
    local more
    one.probes, more = wake_all()
    if more then one.wait = 0 else looks[#looks + 1] = one end
  end
end

prefix = KEYS[1]
local free, most_of_one, is_estimate = tonumber(ARGV[13]), tonumber(ARGV[14]), false
if not free then free, most_of_one, is_estimate = free_slots() end

-- How many requests for new turns a location's budget at GHL has left. More lanes would be claimed only to wait again.
local left = {}
local function requests(location)
  if not left[location] and redis.call('EXISTS', key('budget', location)) == 0 then left[location] = most end
  if not left[location] then
    local limits = limits_of(location)
    local used = redis.call('ZCOUNT', key('budget', location), now - limits.interval, '+inf')
    left[location] = used == 0 and most or math.max(0, math.floor(limits.most * 0.75) - used)
  end
  return left[location]
end

-- How many slots a location may take now.
local function share_of(location) return fair_share(location, free, most_of_one, requests(location)) end

-- A location that was served, or may not have a slot now, goes behind all that were waiting before.
local NO_REQUESTS_MS = 250
local function place(location, served, head)
  head = head or redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
  if not head then return redis.call('ZREM', key('due'), location) end
  local turn_at = requests(location) == 0 and now + NO_REQUESTS_MS or served and now or 0
  redis.call('ZADD', key('due'), math.max(tonumber(head), turn_at), location)
end

-- The first lanes of a location, with their times, and one more; usually few are due.
local A_FEW = 4
local function first_lanes(location, share)
  local few = math.min(share, A_FEW)
  local found = redis.call('ZRANGE', key('due', location), 0, few, 'WITHSCORES')
  if few == share or not found[2 * few + 2] or tonumber(found[2 * few + 2]) > now then return found end
  return redis.call('ZRANGE', key('due', location), 0, share, 'WITHSCORES')
end

-- Reads more locations than it serves, so that those without a right to a slot don't hide the others.
local BEYOND = 100
local wanted = math.max(0, math.min(free, most))

-- What is due in the partitions that are looked at, as one queue.
--   few  how many locations
-- Answers a list of {location, its place in the queue, prefix}.
local function due_locations(few)
  local queue = {}
  for _, one in ipairs(looks) do
    local found = redis.call('ZRANGEBYSCORE', one.prefix .. 'due', '-inf', now, 'WITHSCORES', 'LIMIT', 0, few)
    for at = 1, #found, 2 do queue[#queue + 1] = {found[at], tonumber(found[at + 1]), one.prefix} end
  end
  if #looks > 1 then
    table.sort(queue, function(one, other)
      if one[2] ~= other[2] then return one[2] < other[2] end
      return one[1] < other[1]
    end)
  end
  return queue
end

local locations = {}
for at, one in ipairs(wanted > 0 and due_locations(wanted + BEYOND) or {}) do
  if #locations == wanted or at > wanted + BEYOND then break end
  prefix = one[3]
  if share_of(one[1]) > 0 then locations[#locations + 1] = one else place(one[1], true) end
end

-- The claim and the wake-up are one step: no crash can separate them.
local function wake_up(lane, number)
  local body = cjson.encode('[[' .. cjson.encode(lane) .. '],{},{}]')
  redis.call('LPUSH', ARGV[6], ARGV[7] .. body .. ARGV[8]:gsub('%%ID%%', ARGV[9] .. '-' .. number))
end

local granted = {}
for turn, one in ipairs(locations) do
  local location = one[1]
  prefix = one[3]
  local share = math.min(math.ceil((wanted - #granted) / (#locations - turn + 1)), share_of(location))
  local lanes, number = first_lanes(location, share), 0
  while number < share and lanes[2 * number + 2] and tonumber(lanes[2 * number + 2]) <= now do
    local contact, due = lanes[2 * number + 1], lanes[2 * number + 2]
    number = number + 1
    -- The lane stays overdue until its turn begins, however often it is claimed: the broker may deliver nothing.
    redis.call('ZADD', key('unheard'), 'NX', due, location .. ':' .. contact)
    redis.call('ZADD', key('due', location), now + lease, contact)
    take_slot(location .. ':' .. contact, now + lease)
    granted[#granted + 1] = location .. ':' .. contact
    if ARGV[6] ~= '' then wake_up(location .. ':' .. contact, #granted) end
  end
  free = free - number
  local following = lanes[2 * number + 2]
  place(location, number > 0, number == 0 and following or math.min(tonumber(following or now + lease), now + lease))
end
prefix = KEYS[1]
if ARGV[13] == '' then note_taken(#granted) end

-- A lane in one partition may wait for a slot that becomes free in another: for a while the end of every turn wakes the
-- dispatcher.
local SHORT_MS = 8000
local function note_shortage()
  local marks = names_of('short')
  if redis.call('PTTL', marks[1]) > SHORT_MS / 2 then return end
  for _, name in ipairs(marks) do redis.call('SET', name, 1, 'PX', SHORT_MS) end
end

-- Of one partition: the first of the lanes and of the providers that are to be tried again. Another claim makes sense at once if
-- a location may have more; one that may not waits for a release, which rings.
local function look_ahead(one)
  local head, following = redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2], nil
  local waits = head and tonumber(head) <= now
  local function follow(at) if at and (not following or tonumber(at) < following) then following = tonumber(at) end end
  local function after_now(times)
    return redis.call('ZRANGEBYSCORE', times, string.format('(%d', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  end
  if is_estimate and (waits or free <= 0) then free, is_estimate = free_slots(true), false end
  if waits then note_shortage() end
  one.calm, one.wait = (free > 0 and not waits) and 1 or 0, -1
  if free <= 0 then return end
  for _, location in ipairs(waits and redis.call('ZRANGEBYSCORE', key('due'), '-inf', now, 'LIMIT', 0, BEYOND) or {}) do
    if share_of(location) > 0 then
      one.wait = 0
      return
    end
  end
  if waits then follow(after_now(key('due'))) else follow(head) end
  follow(one.probes and after_now(key('circuits')))
  if following then one.wait = following - now end
end

if ARGV[15] == '1' then note_shortage() end
local answer = {(granted[1] or redis.call('EXISTS', unpack(names_of('unheard'))) > 0) and 1 or 0, #asked}
for _, one in ipairs(looks) do
  prefix = one.prefix
  look_ahead(one)
end
for _, one in ipairs(asked) do answer[#answer + 1] = {one.wait, one.calm, one.leads} end
for _, lane in ipairs(granted) do answer[#answer + 1] = lane end
return answer
