-- Note that something of a lane begins, which happens once.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn that wants it; empty: none
--   ARGV[3]  what: the parts of its key
--   ARGV[4]  for how long that is known (ms)
--   ARGV[5]  who begins it
-- Answers 1, or 0 when another began it before or the lease was lost.
-- Needs: schedule
local lane, token, what, memory = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not may_write(lane, token) then return 0 end
pass_when_full()
if redis.call('SET', key(what), ARGV[5], 'NX', 'PX', memory) then return 1 end
return redis.call('GET', key(what)) == ARGV[5] and 1 or 0
