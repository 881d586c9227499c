-- End a pause and a human takeover. Skipped messages stay skipped.
--   ARGV[1]  conversation or contact id
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
--   ARGV[4]  its lane; empty: it is not known, or of another partition
-- Answers {1 if there was a pause of this id, lane or nothing}.
-- Needs: standings
local id, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local paused = redis.call('DEL', key('paused', id))
local lane = ARGV[4]
if lane == '' then return {paused} end
local _, contact = split(lane)
redis.call('DEL', key('paused', contact))
local record = key('standing', lane)
local is = redis.call('HMGET', record, 'paused_at', 'human_at', 'automation_at', 'resumed_at', 'handover_at')
local spoken = math.max(tonumber(is[2] or 0), tonumber(is[3] or 0), tonumber(is[5] or 0))
if not is[1] and spoken <= tonumber(is[4] or 0) then return {paused, lane} end
redis.call('HDEL', record, 'paused_at')
redis.call('ZREM', key('handovers'), lane)
-- The end must be later than the takeover, which is later than now if the clock jumped back.
redis.call('HSET', record, 'resumed_at', math.max(now, spoken))
redis.call('HINCRBY', record, 'revision', 1)
keep_standing(lane, retention)
tell(lane, event, retention)
return {paused, lane}
