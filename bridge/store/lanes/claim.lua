-- Tell that this worker lives, and take as many due lanes as all live workers together have free slots, locations in turn.
-- A claimed lane is due again after a lease and never removed, because the worker may die.
--   ARGV[1]  worker
--   ARGV[2]  its slots
--   ARGV[3]  how long it counts as alive without another call (ms)
--   ARGV[4]  lease (ms)
--   ARGV[5]  most lanes that are taken
--   ARGV[6]  list into which a wake-up is put for each, where the broker is this very server; empty: the caller publishes them
--   ARGV[7]  a wake-up (JSON) up to its body
--   ARGV[8]  the rest of it, with `%ID%` in place of its id
--   ARGV[9]  nonce: the beginning of the ids
--   ARGV[10]  its process
--   ARGV[11]  the number of the newest claim of that process that was answered (0: none)
--   ARGV[12]  the number of this claim
-- Answers {ms until the next lane is due (-1: none, or no free slot), whether the next claim can wait for that time or a wake-up
-- (1; 0: something waits for an event that wakes nobody), whether a wake-up of any worker got no response (1 or 0), whether this
-- worker leads (1 or 0), lane, lane, ...}.
-- Needs: schedule, clock, rollback
local worker, slots = ARGV[1], ARGV[2]
local alive, lease, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', key('workers'), '-inf', now)
redis.call('ZADD', key('workers'), now + alive, worker .. ':' .. slots)

-- One dispatcher is rung and claims at the due times; the others stand by. Who leads goes on as long as it claims.
local told = redis.call('MGET', key('leader'), key('claimed'), key('patience'))
local leader = told[1]
local leads = (leader or worker) == worker
if leads and (not leader or redis.call('PTTL', key('leader')) < LEADS_MS - 1000) then
  redis.call('SET', key('leader'), worker, 'PX', LEADS_MS)
end
leads = leads and 1 or 0

-- Nobody claimed for longer than a lease: Redis or all workers were down. Leases may have expired although their work continues;
-- their heartbeats get the time of one lease to renew them before another worker may claim the lanes.
local before = tonumber(told[2] or now)
-- So long without any worker: whatever was done to the state meanwhile, nobody saw it.
local UNWATCHED_MS = 60000
if now - before > UNWATCHED_MS then note_rollback(false) end
notice_server()
notice_loss(ARGV[10], ARGV[11], ARGV[12])
redis.call('SET', key('claimed'), now)
if before - now > NOTICED_MS then clock_jumped_back(before - now) end
local patience = told[3]
if now - before > lease and redis.call('ZCARD', key('inflight')) > 0 then patience = redis.call('SET', key('patience'), 1, 'PX', lease) end
local grace = patience and redis.call('PTTL', key('patience')) or 0
if grace > 0 then return {grace, 0, 0, leads} end
redis.call('ZREMRANGEBYSCORE', key('inflight'), '-inf', now)

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
    return {0, 0, 0, leads}
  else
    redis.call('ZREM', key('circuits'), id)
    redis.call('SREM', key('circuits', 'open'), id)
  end
end

local free, most_of_one = -redis.call('ZCARD', key('inflight')), 0
for _, member in ipairs(redis.call('ZRANGE', key('workers'), 0, -1)) do
  local its = tonumber(member:match(':(%d+)$'))
  -- A worker has a ninth more slots than it reports, as a reserve (Settings.worker_threads).
  free, most_of_one = free + its + math.ceil(its / 9), most_of_one + its
end

-- How many requests for new turns a location's budget at GHL has left. More lanes would be claimed only to wait again.
local left = {}
local function requests(location)
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
local function place(location, served)
  local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')
  if not head[1] then return redis.call('ZREM', key('due'), location) end
  local turn_at = requests(location) == 0 and now + NO_REQUESTS_MS or served and now or 0
  redis.call('ZADD', key('due'), math.max(tonumber(head[2]), turn_at), location)
end

-- Reads more locations than it serves, so that those without a right to a slot don't hide the others.
local BEYOND = 100
local wanted = math.max(0, math.min(free, most))
local looked = wanted > 0 and redis.call('ZRANGEBYSCORE', key('due'), '-inf', now, 'LIMIT', 0, wanted + BEYOND) or {}
local locations = {}
for _, location in ipairs(looked) do
  if #locations == wanted then break end
  if share_of(location) > 0 then locations[#locations + 1] = location else place(location, true) end
end

-- The claim and the wake-up are one step: no crash can separate them.
local function wake_up(lane, number)
  local body = cjson.encode('[[' .. cjson.encode(lane) .. '],{},{}]')
  redis.call('LPUSH', ARGV[6], ARGV[7] .. body .. ARGV[8]:gsub('%%ID%%', ARGV[9] .. '-' .. number))
end

local granted, more = {}, false
for turn, location in ipairs(locations) do
  local share = math.min(math.ceil((wanted - #granted) / (#locations - turn + 1)), share_of(location))
  local lanes = redis.call('ZRANGEBYSCORE', key('due', location), '-inf', now, 'WITHSCORES', 'LIMIT', 0, share)
  for number = 1, #lanes, 2 do
    local contact = lanes[number]
    -- The lane stays overdue until its turn begins, however often it is claimed: the broker may deliver nothing.
    redis.call('ZADD', key('unheard'), 'NX', lanes[number + 1], location .. ':' .. contact)
    redis.call('ZADD', key('due', location), now + lease, contact)
    take_slot(location .. ':' .. contact, now + lease)
    granted[#granted + 1] = location .. ':' .. contact
    if ARGV[6] ~= '' then wake_up(location .. ':' .. contact, #granted) end
  end
  free = free - #lanes / 2
  place(location, #lanes > 0)
end

-- Another claim makes sense at once if a location may have more; one that may not waits for a release, which rings.
local head = free > 0 and redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2]
local calm = free > 0 and not (head and tonumber(head) <= now)
for _, location in ipairs((free <= 0 or calm) and {} or redis.call('ZRANGEBYSCORE', key('due'), '-inf', now, 'LIMIT', 0, BEYOND)) do
  if share_of(location) > 0 then more = true break end
end
-- The first of the lanes and of the providers that are to be tried again.
local following
local function follow(at) if at and (not following or tonumber(at) < following) then following = tonumber(at) end end
local function after_now(times)
  return redis.call('ZRANGEBYSCORE', times, string.format('(%d', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
end
if free > 0 then
  follow(calm and head or after_now(key('due')))
  follow(probes and after_now(key('circuits')))
end
local wait = (free > 0 and more) and 0 or (following and following - now or -1)
return {wait, calm and 1 or 0, redis.call('EXISTS', key('unheard')), leads, unpack(granted)}
