-- Keep leases alive; a lapsed one that nobody took is taken back.
--   ARGV[1]     lease (ms)
--   ARGV[2...]  lane, token, lane, token
-- Answers the lanes that are lost.
-- Needs: schedule
local lease = tonumber(ARGV[1])
local lost = {}
pass_when_full()
for at = 2, #ARGV, 2 do
  local lane, token = ARGV[at], ARGV[at + 1]
  local location, contact = split(lane)
  if holds(lane, token) then
    redis.call('HSET', key('lane', lane), 'lease_until', now + lease)
    redis.call('ZADD', key('due', location), now + lease, contact)
    take_slot(lane, now + lease)
  else
    lost[#lost + 1] = lane
  end
end
return lost
