-- Begin something that may happen only once in a lane.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn; empty: the caller is not a turn
--   ARGV[3]  the parts of its key
--   ARGV[4]  expiry of the record (ms)
--   ARGV[5]  who begins it
-- Answers 1, or 0 if another began it before or the lease was lost.
-- Needs: schedule
local lane, token, what, memory = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not may_write(lane, token) then return 0 end
pass_when_full()
if redis.call('SET', key(what), ARGV[5], 'NX', 'PX', memory) then return 1 end
return redis.call('GET', key(what)) == ARGV[5] and 1 or 0
