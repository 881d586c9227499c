-- Renew leases. An expired one is renewed too, if no other turn has the lane.
--   KEYS[1...]  prefix of each lane
--   ARGV[1]     lease (ms)
--   ARGV[2...]  lane, token, lane, token
-- Answers the lanes whose leases are lost.
-- Needs: schedule
-- A fresh lease is renewed without a write, which would be a sync of the file (schedule.py: FRESH).
local lease = tonumber(ARGV[1])
local lost = {}
pass_when_full()
for at = 2, #ARGV, 2 do
  local lane, token = ARGV[at], ARGV[at + 1]
  prefix = KEYS[at / 2]
  local location, contact = split(lane)
  local left = rest_of_lease(lane, token)
  if left and left < lease * FRESH then
    redis.call('HSET', key('lane', lane), 'lease_until', now + lease)
    redis.call('ZADD', key('due', location), now + lease, contact)
    take_slot(lane, now + lease)
  elseif not left then
    lost[#lost + 1] = lane
  end
end
return lost
