-- Compare what is wrong now with what was wrong before: each cause is told once, and once more when it is over.
--   ARGV[1]     for how long this review is nobody else's (ms)
--   ARGV[2...]  cause, text, cause, text
-- Answers 1, or 0 when another worker reviews.
if not redis.call('SET', key('upkeep'), 1, 'NX', 'PX', tonumber(ARGV[1])) then return 0 end
local current = {}
for at = 2, #ARGV, 2 do current[ARGV[at]] = ARGV[at + 1] end

local function tell_about(cause, text, state)
  redis.call('RPUSH', key('alerts', 'outbox'), cjson.encode({cause = cause, text = text, state = state, at = now}))
  redis.call('LTRIM', key('alerts', 'outbox'), -1000, -1)
end

local known = redis.call('HGETALL', key('alerts'))
for at = 1, #known, 2 do
  local cause, text = known[at], known[at + 1]
  if not current[cause] then
    redis.call('HDEL', key('alerts'), cause)
    tell_about(cause, 'over: ' .. text, 'over')
  end
end
for cause, text in pairs(current) do
  if redis.call('HSETNX', key('alerts'), cause, text) == 1 then tell_about(cause, text, 'begun') end
end
return 1
