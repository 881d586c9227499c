-- Note that a receiver accepts webhooks. If none did for a while, every location is swept at once, because webhooks were missed.
--   ARGV[1]  for how long this counts (ms)
--   ARGV[2]  the receiver
--   ARGV[3]  the number of its newest heartbeat that was answered (0: none)
--   ARGV[4]  the number of this heartbeat
-- Answers 1 if no receiver did for a while.
-- Needs: rollback
notice_server()
notice_loss(ARGV[2], ARGV[3], ARGV[4])
local back = redis.call('EXISTS', key('receiving')) == 0
redis.call('SET', key('receiving'), 1, 'PX', ARGV[1])
if not back then return 0 end
for _, location in ipairs(redis.call('ZRANGE', key('sweeps'), 0, -1)) do redis.call('ZADD', key('sweeps'), 'LT', now, location) end
return 1
