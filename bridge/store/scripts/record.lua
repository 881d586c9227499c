-- Write down a step of a turn, if the lane is still held.
-- ARGV: lane, token, patch (JSON; `done` lists ids that leave the lane, `nonce` tells this call from others), retention (ms)
-- Answers 1, or 0 when the lease was lost.
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
if not holds(lane, token) then return 0 end
if redis.call('HGET', key('lane', lane), 'written') == patch.nonce then return 1 end
pass_when_full()
apply(lane, patch, retention)
redis.call('HSET', key('lane', lane), 'written', patch.nonce)
return 1
