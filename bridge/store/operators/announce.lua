-- Add a text to a list for delivery, once.
--   ARGV[1]  its name, such as weekly_report:2026-11-23
--   ARGV[2]  outbox (posted to the alert address) | mail
--   ARGV[3]  text
--   ARGV[4]  how long this name is remembered (ms)
-- Answers 1, or 0 if it was done before.
if not redis.call('SET', key('announced', ARGV[1]), 1, 'NX', 'PX', ARGV[4]) then return 0 end
local list = ({outbox = key('alerts', 'outbox'), mail = key('alerts', 'mail')})[ARGV[2]]
redis.call('RPUSH', list, cjson.encode({cause = ARGV[1], text = ARGV[3], state = 'report', at = now}))
redis.call('LTRIM', list, -1000, -1)
return 1
