-- Make a lane due now, whatever it waits for. Its guards are checked as usual.
--   ARGV[1]  lane
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
-- Answers due | working (a worker has it) | held (its location is on hold) | nothing (nothing waits).
-- Needs: timeline, schedule
local lane, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local location = split(lane)
local record = key('lane', lane)
local slot = redis.call('ZSCORE', key('inflight'), lane)
if leased(lane) or (slot and tonumber(slot) > now) then return 'working' end
if redis.call('HEXISTS', key('location', location), 'hold') == 1 then return 'held' end
local waits = redis.call('EXISTS', key('waiting', lane), key('replays', lane)) > 0 or redis.call('HEXISTS', record, 'replaying') == 1
if not waits then return 'nothing' end
redis.call('HDEL', record, 'not_before', 'parked', 'until_newer')
schedule(lane, now)
tell(lane, event, retention)
ring_if_due()
return 'due'
