-- Move entries from their list to the daily counts of their locations.
--   ARGV[1]     how many were ever moved before; with another number, another process has moved some meanwhile
--   ARGV[2]     how many are moved
--   ARGV[3]     how long a location's counts are stored after its newest day (ms)
--   ARGV[4]     most days of a location; the oldest are deleted
--   ARGV[5]     most names under `T` in a day; the others are one, `other`
--   ARGV[6...]  location, day (2026-11-30), what to add (JSON, bridge/policy/report_entries.py), location, day, ...
-- Answers 1, or 0 if another process has moved some.
local state = key('folded')
if tonumber(redis.call('HGET', state, 'count') or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('LTRIM', key('reported'), ARGV[2], -1)
redis.call('HSET', state, 'count', string.format('%d', ARGV[1] + ARGV[2]), 'at', now)
redis.call('PEXPIRE', state, ARGV[3])

local function add(day, more)
  for name, by in pairs(more) do
    if type(by) == 'table' then
      day[name] = day[name] or {}
      add(day[name], by)
    else
      local sum = (day[name] or 0) + by
      -- In a list of numbers a zero stays, because the next number has a position.
      day[name] = (sum ~= 0 or type(name) == 'number') and sum or nil
    end
  end
end

local function bounded(names, more)
  local count, found = 0, {}
  for _ in pairs(names) do count = count + 1 end
  for name, used in pairs(more) do
    local known = names[name] ~= nil
    if not known and count >= tonumber(ARGV[5]) then name = 'other' end
    if not known and name ~= 'other' then count = count + 1 end
    found[name] = found[name] or {0, 0, 0}
    add(found[name], used)
  end
  return found
end

for at = 6, #ARGV, 3 do
  local report, day = key('report', ARGV[at]), ARGV[at + 1]
  local counts, more = cjson.decode(redis.call('HGET', report, day) or '{}'), cjson.decode(ARGV[at + 2])
  if more.T then more.T = bounded(counts.T or {}, more.T) end
  add(counts, more)
  local is_new = redis.call('HSET', report, day, cjson.encode(counts)) == 1
  local beyond = is_new and redis.call('HLEN', report) - ARGV[4] or 0
  if beyond > 0 then
    local days = redis.call('HKEYS', report)
    table.sort(days)
    redis.call('HDEL', report, unpack(days, 1, beyond))
  end
  redis.call('PEXPIRE', report, ARGV[3])
end
return 1
