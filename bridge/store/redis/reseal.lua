-- Rewrite encrypted fields of a record, unless their source has changed meanwhile.
--   ARGV[1]     record (its key without the prefix)
--   ARGV[2]     field that shows whether the record is unchanged
--   ARGV[3]     value of that field when it was read
--   ARGV[4...]  field, value, field, value
-- Answers 1, or 0 if it has another value now.
local record = key(ARGV[1])
local held = redis.call('HGET', record, ARGV[2])
if held == ARGV[5] then return 1 end
if held ~= ARGV[3] then return 0 end
redis.call('HSET', record, unpack(ARGV, 4))
return 1
