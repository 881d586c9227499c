-- Lift a pause and a human takeover. What was skipped meanwhile stays skipped.
-- ARGV: conversation or contact id, event, retention (ms)
-- Answers {1 if there was a pause of this id, lane or nothing}.
local id, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local paused = redis.call('DEL', key('paused', id))
local lane = redis.call('GET', key('index', id))
if not lane then return {paused} end
local _, contact = split(lane)
redis.call('DEL', key('paused', contact))
local record = key('standing', lane)
redis.call('HDEL', record, 'paused_at')
redis.call('HSET', record, 'resumed_at', now)
redis.call('HINCRBY', record, 'revision', 1)
keep_standing(lane, retention)
tell(lane, event, retention)
return {paused, lane}
