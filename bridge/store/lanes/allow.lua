-- Lift a contact's stops on every channel.
--   ARGV[1]  lane
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
-- Answers the channels that were stopped.
-- Needs: standings
local lane, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = key('standing', lane)
local lifted = {}
for channel, at in pairs(stops(lane)) do
  -- A stop may be later than now: the clock jumped back, or both are in the same millisecond.
  redis.call('HSET', record, 'start:' .. channel, math.max(now, tonumber(at) + 1))
  lifted[#lifted + 1] = channel
end
redis.call('ZREM', key('spoken_stops'), lane)
if #lifted > 0 then
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  tell(lane, event, retention)
end
return lifted
