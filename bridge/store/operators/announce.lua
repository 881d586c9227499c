-- Put a text on a list of what is to be delivered, once.
--   ARGV[1]  what it is, such as weekly_report:2026-11-23
--   ARGV[2]  outbox (posted to the alert address) | mail
--   ARGV[3]  text
--   ARGV[4]  how long it is remembered that this was done (ms)
-- Answers 1, or 0 when it was done before.
if not redis.call('SET', key('announced', ARGV[1]), 1, 'NX', 'PX', ARGV[4]) then return 0 end
local list = ({outbox = key('alerts', 'outbox'), mail = key('alerts', 'mail')})[ARGV[2]]
redis.call('RPUSH', list, cjson.encode({cause = ARGV[1], text = ARGV[3], state = 'report', at = now}))
redis.call('LTRIM', list, -1000, -1)
return 1
