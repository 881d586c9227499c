-- Read the same key in some partitions.
--   KEYS[1...]  prefix of each partition
--   ARGV[1]     command
--   ARGV[2]     name of the key, without its prefix
--   ARGV[3...]  arguments of the command
-- Answers a list with the result of each.
local found = {}
for at = 1, #KEYS do
  prefix = KEYS[at]
  found[at] = redis.call(ARGV[1], key(ARGV[2]), unpack(ARGV, 3)) or ''
end
return found
