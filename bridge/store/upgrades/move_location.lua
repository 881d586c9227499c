-- Rename a location's key, and write a string under the old name, at which the scripts of an older process fail.
--   KEYS[1]  old name
--   KEYS[2]  new name
--   ARGV[1]  how long that string stays (ms)
-- Answers 1, or 0 if it was done before.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('SET', KEYS[1], 'moved', 'PX', ARGV[1])
return 1
