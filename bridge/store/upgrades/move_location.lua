-- Give a location its new name, and leave under the old one what makes an older process' scripts fail.
--   KEYS[1]  old name
--   KEYS[2]  new name
--   ARGV[1]  how long an older process is made to fail (ms)
-- Answers 1, or 0 when it was done before.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('SET', KEYS[1], 'moved', 'PX', ARGV[1])
return 1
