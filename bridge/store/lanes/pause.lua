-- Pause a contact until an operator resumes it. A contact or conversation that is not known yet is paused by its id.
--   ARGV[1]  conversation or contact id
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
--   ARGV[4]  its lane; empty: it is not known yet
-- Answers the lane, or nothing if it is not known yet.
-- Needs: standings
local id, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lane = ARGV[4]
pass_when_full()
if lane == '' then
  redis.call('SET', key('paused', id), now, 'NX')
  return nil
end
if redis.call('HSETNX', key('standing', lane), 'paused_at', now) == 0 then return lane end
redis.call('HINCRBY', key('standing', lane), 'revision', 1)
keep_standing(lane, retention)
tell(lane, event, retention)
return lane
