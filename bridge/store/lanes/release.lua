-- Record how a turn ended and release the lane. It is due again if messages wait or the turn is retried.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  JSON, the patch (bridge/store/lanes/patch.py)
--   ARGV[4]  retention (ms)
--   ARGV[5]  how many refused logins put a location on hold
-- Answers written; lost if the lease was lost; held if the location is on hold and the turn waits. parts/results.lua has the
-- numbers.
-- Needs: results, applying, takeover, circuits, dead_letters
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
local location = split(lane)
local record = key('lane', lane)
local is = rows(redis.call('HGETALL', record))
if not is_holder(is, token) then return is.released == token and RELEASE.written or RELEASE.lost end
pass_when_full()
counted = {}
look_for(
  key('unclear', lane), key('refusals', location, 'ghl'), key('refusals', location, 'provider'), key('replays', lane),
  key('carried', lane), key('circuits', 'open'), key('short'), key('retrying'), key('unopened'),
  key('watched')
)
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

-- Other turns of the location would fail in the same way.
local settings = redis.call('HMGET', key('location', location), 'hold', 'unheard', 'activated_at')
local known = patch.refused and redis.call('EXISTS', key('location', location)) == 1
if patch.refused == 'version' and known and not settings[1] then
  put_on_hold('version')
  settings[1] = now
end
local held = patch.refused and settings[1]
local turn = patch.turn
if held then patch = patch.held end
local over = not patch.wait_ms and not held
-- Of what ends, the record is written once, without the turn.
if over then whole[lane] = is end
apply(lane, patch, retention)

-- `retrying`: lanes whose turn has failed and is retried.
local retries = patch.wait_ms and patch.lane.attempts > 0
if retries then
  redis.call('SADD', key('retrying'), lane)
  missing[key('retrying')] = nil
end
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
  -- A message that arrived in the meantime includes its texts, like one that arrives later.
  for _, newer in ipairs(redis.call('LRANGE', key('waiting', lane), 0, -1)) do
    local line = redis.call('HGET', key('message', location, newer), 'line')
    if line and line ~= UNKNOWN_LINE then carry_over(lane, line, newer, retention) end
  end
end

if over then
  is.released = token
else
  redis.call('HDEL', record, 'lease', 'lease_until', 'leased_at', 'unfinished', 'not_before', 'written', 'until_newer')
  redis.call('HSET', record, 'released', token)
end
free_slot(lane)
if patch.replied then
  note_reply(lane, patch.turn, now)
  -- GHL's events report replies too, if the app is subscribed to them.
  if settings[3] then redis.call('HSET', key('location', location), 'unheard', tonumber(settings[2] or 0) + 1) end
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
  missing[key('unopened')] = nil
end
if not over then
  -- However long it waits, what was sent must be known then.
  redis.call('PERSIST', key('ledger', turn))
  clear_up(lane, retention)
else
  redis.call('PEXPIRE', key('ledger', turn), patch.dead and retention or ledger_kept(turn, retention))
  if not patch.dead then
    -- The texts of a dead letter wait for the next message. After any other end, the texts that the turn took are done.
    for _, id in ipairs(patch.carried or {}) do redis.call('LREM', key('carried', lane), 1, id) end
    if is.replaying then redis.call('PEXPIRE', key('dead', turn), retention) end
  end
  forget_turn(lane, is)
  whole[lane] = nil
  clear_up_after(lane, patch.turn, retention)
end
-- While the lease lasted, nobody claimed the lane again.
local waits = reschedule(lane, over, tonumber(is.lease_until) > now)
if waits then
  if not retries and not missing[key('retrying')] then redis.call('SREM', key('retrying'), lane) end
  if not patch.unopened and not missing[key('unopened')] then redis.call('ZREM', key('unopened'), lane) end
end
keep_lane(lane, retention, not waits)
ring_if_due()
leave_counts()
return held and RELEASE.held or RELEASE.written
