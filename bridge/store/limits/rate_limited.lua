-- After a 429 of GHL: let the location wait, as long as GHL asked for, or twice as long as after the last 429. store/limits/budget.py
-- computes the shortest and the longest wait.
--   ARGV[1]  location
--   ARGV[2]  wait that GHL asked for (ms; -1: none)
--   ARGV[3]  1 if the day's budget is used up
--   ARGV[4]  shortest wait (ms)
--   ARGV[5]  longest wait (ms)
-- Answers the ms to wait.
-- Needs: budget
local location, asked, shortest, longest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local refused, strikes = key('refused', location), key('refused', location, 'strikes')
local wait = asked
pass_when_full()
if asked < 0 and ARGV[3] == '1' then
  wait = DAY - now % DAY
elseif asked < 0 then
  -- Several requests in flight are refused together: that counts once. The next refusal waits twice as long.
  wait = redis.call('PTTL', refused)
  if wait <= 0 then wait = math.min(longest, shortest * 2 ^ (redis.call('INCR', strikes) - 1)) end
  redis.call('PEXPIRE', strikes, 3 * longest)
end
if wait > math.max(0, redis.call('PTTL', refused)) then redis.call('SET', refused, 1, 'PX', string.format('%d', wait)) end
if wait > 0 then block(location, wait) end
return wait
