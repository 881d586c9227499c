-- Add the numbers of hashes that each partition has a part of.
--   KEYS[1...]  prefix of each partition
--   ARGV[1...]  names of hashes, without their prefixes
-- Answers, for each name, field, number, field, number, ...
local answers = {}
for at, name in ipairs(ARGV) do
  local sums, flat = {}, {}
  for _, one in ipairs(KEYS) do
    prefix = one
    local fields = redis.call('HGETALL', key(name))
    for field = 1, #fields, 2 do sums[fields[field]] = (sums[fields[field]] or 0) + fields[field + 1] end
  end
  for field, sum in pairs(sums) do flat[#flat + 1], flat[#flat + 2] = field, string.format('%d', sum) end
  answers[at] = flat
end
return answers
