-- Compare the current problems with those of the last review. Each cause is alerted once after it has lasted long enough, and once
-- when it is over.
--   ARGV[1]     for how long no other process reviews (ms)
--   ARGV[2]     1: in quiet hours; nothing ends, and only critical causes begin
--   ARGV[3...]  cause, text, how long it must last (ms), 1: it is critical, cause, text, ...
-- Answers 1, or 0 if another process reviews.
-- When a cause began expires if no process reviews for this time (ms).
local FORGET_PENDING_MS = 60000
if not redis.call('SET', key('upkeep'), 1, 'NX', 'PX', tonumber(ARGV[1])) then return 0 end
local quiet, current, order = ARGV[2] == '1', {}, {}
for at = 3, #ARGV, 4 do
  order[#order + 1] = ARGV[at]
  current[ARGV[at]] = {text = ARGV[at + 1], after = tonumber(ARGV[at + 2]), waits = quiet and ARGV[at + 3] ~= '1'}
end

local function tell_about(cause, text, state)
  redis.call('RPUSH', key('alerts', 'outbox'), cjson.encode({cause = cause, text = text, state = state, at = now}))
  redis.call('LTRIM', key('alerts', 'outbox'), -1000, -1)
end

local told = redis.call('HGETALL', key('alerts'))
for at = 1, #told, 2 do
  local cause, text = told[at], told[at + 1]
  if not current[cause] and not quiet then
    redis.call('HDEL', key('alerts'), cause)
    tell_about(cause, 'over: ' .. text, 'over')
  end
end
for _, cause in ipairs(redis.call('HKEYS', key('alerts', 'pending'))) do
  if not current[cause] then redis.call('HDEL', key('alerts', 'pending'), cause) end
end
for _, cause in ipairs(order) do
  local seen = current[cause]
  redis.call('HSETNX', key('alerts', 'pending'), cause, now)
  local lasts = now - tonumber(redis.call('HGET', key('alerts', 'pending'), cause))
  if lasts >= seen.after and not seen.waits and redis.call('HSETNX', key('alerts'), cause, seen.text) == 1 then
    tell_about(cause, seen.text, 'begun')
  end
end
redis.call('PEXPIRE', key('alerts', 'pending'), FORGET_PENDING_MS)
return 1
