-- Note that a receiver accepts webhooks. If none did for a while, every location is swept at once, because webhooks were missed.
--   KEYS[1]     prefix of home; in a cluster of each partition in turn
--   KEYS[2...]  prefixes of the partitions; in a cluster the same one
--   ARGV[1]     for how long this counts (ms)
--   ARGV[2]     the receiver
--   ARGV[3]     the number of its newest heartbeat that was answered (0: none)
--   ARGV[4]     the number of this heartbeat
-- Answers 1 if no receiver did for a while.
-- Needs: rollback
local run = run_of_server()
everywhere(function() notice_server(run) end)
notice_loss(ARGV[2], ARGV[3], ARGV[4])
local back = redis.call('EXISTS', key('receiving')) == 0
if back then everywhere(sweep_all) end
redis.call('SET', key('receiving'), 1, 'PX', ARGV[1])
return back and 1 or 0
