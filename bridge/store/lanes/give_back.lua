-- Give a lane back unchanged and due at once, because its worker stops. This does not count as an attempt.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  retention (ms)
-- Answers 1, or 0 if the lease was lost.
-- Needs: schedule
local lane, token = ARGV[1], ARGV[2]
if not holds(lane, token) then return 0 end
pass_when_full()
local record = key('lane', lane)
redis.call('HINCRBY', record, 'unfinished', -1)
redis.call('HDEL', record, 'lease', 'lease_until', 'leased_at')
free_slot(lane)
-- All messages were ended one by one: the next turn must not see anything of this one.
if redis.call('HEXISTS', record, 'replaying') == 0 and redis.call('EXISTS', key('waiting', lane)) == 0 then
  forget_turn(lane)
end
reschedule(lane)
keep_lane(lane, tonumber(ARGV[3]))
ring_if_due()
return 1
