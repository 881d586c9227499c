-- Write down how a turn ended and give the lane back: free, or due again when something waits or is to be tried again.
-- ARGV: lane, token, patch (JSON; `done` lists the ids that leave the lane, `wait_ms` asks for another try, `dead` is a
--       dead letter), retention (ms)
-- Answers 1, or 0 when the lease was lost.
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
local record = key('lane', lane)
if not holds(lane, token) then return redis.call('HGET', record, 'released') == token and 1 or 0 end
pass_when_full()
apply(lane, patch, retention)
if patch.dead then
  redis.call('SET', key('dead', patch.dead.id), patch.dead.record, 'PX', retention)
  redis.call('ZADD', key('dead'), now, patch.dead.id)
  redis.call('ZREMRANGEBYSCORE', key('dead'), '-inf', now - retention)
end

redis.call('HDEL', record, 'lease', 'lease_until', 'unfinished', 'not_before', 'written')
redis.call('HSET', record, 'released', token)
redis.call('ZREM', key('inflight'), lane)

local again = 0
if patch.wait_ms then
  again = now + patch.wait_ms
  redis.call('HSET', record, 'not_before', again)
else
  redis.call('HDEL', record, 'turn', 'attempts', 'answer', 'answered', 'answered_at', 'looks')
end
if redis.call('EXISTS', key('waiting', lane)) == 1 then
  unschedule(lane)
  schedule(lane, math.max(again, quiet_at(lane)))
else
  unschedule(lane)
  redis.call('PEXPIRE', record, retention)
end
local head = redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2]
if head and tonumber(head) <= now then redis.call('PUBLISH', key('wake'), head) end
return 1
