-- Write fields of a record anew, unless what they were made of has changed since.
--   ARGV[1]     record (its key without the prefix)
--   ARGV[2]     field that tells whether it is what was read
--   ARGV[3]     what that held
--   ARGV[4...]  field, value, field, value
-- Answers 1, or 0 when it holds something else by now.
local record = key(ARGV[1])
local held = redis.call('HGET', record, ARGV[2])
if held == ARGV[5] then return 1 end
if held ~= ARGV[3] then return 0 end
redis.call('HSET', record, unpack(ARGV, 4))
return 1
