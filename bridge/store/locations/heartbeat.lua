-- A receiver tells that it takes webhooks.
--   ARGV[1]  for how long this is believed (ms)
--   ARGV[2]  1 if it is to be told though none has for a while, else 0
-- Answers 1 if none has told it for a while: then what came meanwhile is gone, and every location is to be swept first.
if redis.call('EXISTS', key('receiving')) == 0 and ARGV[2] == '0' then return 1 end
redis.call('SET', key('receiving'), 1, 'PX', ARGV[1])
return 0
