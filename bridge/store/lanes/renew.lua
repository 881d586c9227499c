-- Renew leases. An expired one is renewed too, if no other turn has the lane.
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
  local location, contact = split(lane)
  local is = redis.call('HMGET', key('lane', lane), 'lease', 'lease_until')
  local fresh = is[1] == token and tonumber(is[2]) - now >= lease * FRESH
  if is[1] == token and not fresh then
    redis.call('HSET', key('lane', lane), 'lease_until', now + lease)
    redis.call('ZADD', key('due', location), now + lease, contact)
    take_slot(lane, now + lease)
  elseif not fresh then
    lost[#lost + 1] = lane
  end
end
return lost
