-- Record how a turn ended and release the lane. It is due again if messages wait or the turn is retried.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  JSON, the patch (bridge/store/lanes/patch.py)
--   ARGV[4]  retention (ms)
--   ARGV[5]  how many refused logins put a location on hold
-- Answers written; lost if the lease was lost; held if the location is on hold and the turn waits. parts/results.lua has the
-- numbers.
-- Needs: results, applying, circuits
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
local location = split(lane)
local record = key('lane', lane)
if not holds(lane, token) then return redis.call('HGET', record, 'released') == token and RELEASE.written or RELEASE.lost end
pass_when_full()
collect_ends()
collect_reports()
local function park(circuits)
  for _, id in ipairs(circuits) do
    -- The provider answers again: there is nothing to wait for.
    if redis.call('HEXISTS', key('circuit', id), 'since') == 0 then return redis.call('HSET', key('lane', lane), 'not_before', now) end
  end
  redis.call('HSET', key('lane', lane), 'parked', 1)
  for _, id in ipairs(circuits) do
    -- A lane that only checked the age of its messages keeps its place.
    redis.call('ZADD', key('circuit', id, 'waiting'), 'NX', now, lane)
    redis.call('PEXPIRE', key('circuit', id, 'waiting'), retention)
  end
end

local function put_on_hold(why)
  redis.call('HSET', key('location', location), 'hold', now, 'hold_why', why)
  redis.call('SADD', key('holds'), location)
  redis.call('ZREM', key('due'), location)
end

-- The other turns of the location would fail too.
local known = redis.call('EXISTS', key('location', location)) == 1
if patch.refused == 'version' and known and redis.call('HEXISTS', key('location', location), 'hold') == 0 then put_on_hold('version') end
local on_hold = redis.call('HEXISTS', key('location', location), 'hold') == 1
local held = patch.refused and on_hold
local turn = patch.turn
if held then patch = patch.held end
apply(lane, patch, retention)

-- `retrying`: lanes whose turn has failed and is retried.
local retries = patch.wait_ms and patch.lane.attempts > 0
redis.call(retries and 'SADD' or 'SREM', key('retrying'), lane)
count('tries|' .. (held and 'held' or patch.dead and 'dead' or not patch.wait_ms and 'ended' or patch.failed and 'failed' or 'deferred'))

if patch.dead then
  local id = patch.dead.id
  redis.call('SET', key('dead', id), patch.dead.record, 'PX', retention)
  redis.call('ZADD', key('dead'), now, id)
  count('dead_letters|buried')
  local expired = redis.call('ZREMRANGEBYSCORE', key('dead'), '-inf', now - retention)
  if expired > 0 then count('dead_letters|expired', expired) end
  redis.call('RPUSH', key('buried', lane), id)
  redis.call('LTRIM', key('buried', lane), -20, -1)
  redis.call('PEXPIRE', key('buried', lane), retention)
  if patch.refused and known then
    local refusals = key('refusals', location, patch.refused)
    if redis.call('RPUSH', refusals, id) >= tonumber(ARGV[5]) then put_on_hold(patch.refused) end
    redis.call('LTRIM', refusals, -100, -1)
  end
end

-- The data of a turn that ends is deleted below.
if patch.wait_ms or held then
  redis.call('HDEL', record, 'lease', 'lease_until', 'leased_at', 'unfinished', 'not_before', 'written', 'until_newer')
end
redis.call('HSET', record, 'released', token)
free_slot(lane)
if patch.replied then
  note_reply(lane, patch.turn, now)
  -- GHL's events report replies too, if the app is subscribed to them.
  set_fields(location, 'unheard', tonumber(redis.call('HGET', key('location', location), 'unheard') or 0) + 1)
end
if patch.handover then
  report(location, 'h', now)
  if patch.handover.lasts ~= 0 then hand_over(lane, patch.handover.lasts, retention) end
end
if patch.wait_ms then
  -- A negative wait: the location waits, and the lane keeps its place.
  -- Settings that were applied while the lane was held may change the wait: the next turn reads them.
  local settled = redis.call('HDEL', record, 'reconsider') == 0 or not waits_by_settings(lane)
  local joined = patch.until_newer and redis.call('LLEN', key('waiting', lane)) > patch.until_newer[1]
  if patch.wait_ms >= 0 and settled and not joined then redis.call('HSET', record, 'not_before', now + patch.wait_ms) end
  if patch.until_newer and not joined then redis.call('HSET', record, 'until_newer', 1) end
  if patch.circuits then park(patch.circuits) end
end
free_probes(token)
if patch.unopened then
  redis.call('ZADD', key('unopened'), 'NX', now, lane)
else
  redis.call('ZREM', key('unopened'), lane)
end
if patch.wait_ms or held then
  -- The ledger must outlive the wait, however long it is.
  redis.call('PERSIST', key('ledger', turn))
else
  if not patch.dead then
    -- The texts of a dead letter wait for the next message. After any other end, the texts that the turn took are done.
    for _, id in ipairs(patch.carried or {}) do redis.call('LREM', key('carried', lane), 1, id) end
    for _, kept in ipairs({key('dead', turn), key('ledger', turn)}) do redis.call('PEXPIRE', kept, retention) end
  end
  forget_turn(lane)
  clear_up_after(lane, patch.turn, retention)
end
reschedule(lane)
put(record, take_ends())
keep_lane(lane, retention)
write_reports()
ring_if_due()
return held and RELEASE.held or RELEASE.written
