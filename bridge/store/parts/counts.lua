-- Statistics without personal data: totals that never expire (bridge/metrics.py names them), and the counts of charts.
-- A script counts where it writes for the first time, since it may be sent again.

-- The counts of a script that leaves them to the next fold: the increments by the prefix of the partition, and by moment (0:
-- none) and name. Nil: the script adds its counts at once.
local counted
-- What changes in tallies of locations (parts/timeline.lua): by the key, what is added (`add`), what is set (`set`) and its expiry
-- (`kept`, ms).
local tallies = {}
-- The entries of daily reports that wait for the same fold (parts/reports.lua): a list by the prefix of the partition.
local reported = {}

-- Note a count for the next fold.
--   name  moment and name
--   by    the increment
local function collect(name, by)
  local its = counted[prefix] or {}
  counted[prefix] = its
  its[name] = (its[name] or 0) + by
end

-- Count for the totals.
--   what  name of the total
--   by    how much is added; nil: 1
local function count(what, by)
  if counted then
    collect('0 ' .. what, by or 1)
  else
    redis.call('HINCRBY', key('totals'), what, by or 1)
  end
end

-- For how long a chart's hash is kept: this many times its span.
local CHARTS, SPANS_KEPT = {minute = 60000, hour = 3600000}, 70

-- The hash of a chart in which a moment counts.
--   span  minute or hour
--   at    the moment (ms)
-- Answers its key; nil if that is too long ago.
local function bucket_of(span, at)
  local ms = CHARTS[span]
  if now - at < ms * SPANS_KEPT then return key('chart', span, string.format('%d', math.floor(at / ms))) end
end

-- Count for the charts: the last hour by minute, the last day by hour, and a little longer. An outcome counts in the minute and
-- hour in which its message arrived, so that in each of them: arrived = ended + in work.
--   what  name of the count
--   by    the increment; nil: 1
--   at    when the message arrived (ms); nil: now
local function chart(what, by, at)
  if counted then
    collect(string.format('%d ', at or now) .. what, by or 1)
    return
  end
  for span, ms in pairs(CHARTS) do
    local bucket = bucket_of(span, at or now)
    if bucket and redis.call('HINCRBY', bucket, what, by or 1) == (by or 1) then
      redis.call('PEXPIRE', bucket, ms * SPANS_KEPT)
    end
  end
end

-- Add numbers to fields of a hash: one command reads them, one writes them.
--   name  of the hash
--   sums  table of field and how much is added
--   kept  expiry of a new one (ms); nil: none
local function add_all(name, sums, kept)
  local fields, flat, known = {}, {}, false
  for field in pairs(sums) do fields[#fields + 1] = field end
  for place, before in ipairs(redis.call('HMGET', name, unpack(fields))) do
    known = known or before
    flat[#flat + 1], flat[#flat + 2] = fields[place], string.format('%d', (before or 0) + sums[fields[place]])
  end
  redis.call('HSET', name, unpack(flat))
  if kept and not known then redis.call('PEXPIRE', name, kept) end
end

-- Sum up what scripts have left.
--   lists  of lines: how much, when (ms; 0: for `totals` alone) and what; or `reported` and an entry of a daily report
-- Answers a table of name of a hash and its sums, a table of that name and its expiry (ms), and a list of the entries.
local function sum_up(lists)
  local sums, kept, entries = {}, {}, {}
  local function add(name, what, by, lasts)
    sums[name], kept[name] = sums[name] or {}, lasts
    sums[name][what] = (sums[name][what] or 0) + by
  end
  for _, list in ipairs(lists) do
    for line in list:gmatch('[^\n]+') do
      local by, at, what = line:match('^(%-?%d+) (%d+) (.+)$')
      entries[#entries + 1] = line:match('^reported (.+)$')
      if at == '0' then add(key('totals'), what, by) end
      for span, ms in pairs(at and at ~= '0' and CHARTS or {}) do
        local bucket = bucket_of(span, tonumber(at))
        if bucket then add(bucket, what, by, ms * SPANS_KEPT) end
      end
    end
  end
  return sums, kept, entries
end

-- Add what scripts have left to the totals, the charts and what is to be reported; what is on the list is added once, by any process.
local function fold_counts()
  local lists = redis.call('LRANGE', key('counts'), 0, -1)
  if not lists[1] then return end
  redis.call('DEL', key('counts'))
  local sums, kept, entries = sum_up(lists)
  for name, its in pairs(sums) do add_all(name, its, kept[name]) end
  for at = 1, #entries, 1000 do
    redis.call('RPUSH', key('reported'), unpack(entries, at, math.min(at + 999, #entries)))
  end
end

-- Fold the counts of some partitions; then the script continues in its own.
--   first  the place in KEYS from which on prefixes are those of the partitions
local function fold_all(first)
  local here, names = prefix, {}
  for at = first, #KEYS do
    prefix = KEYS[at]
    names[#names + 1] = key('counts')
  end
  for at = first, redis.call('EXISTS', unpack(names)) > 0 and #KEYS or 0 do
    prefix = KEYS[at]
    fold_counts()
  end
  prefix = here
end

-- The most lists that are folded at once, because Redis serves no other client in the meantime.
local MOST_COUNTS, COUNTS_KEPT = 1000, 30 * 24 * 3600 * 1000

-- The tally of a location that a script changes.
--   name  its key
-- Answers the table of its changes.
local function tally_of(name, retention)
  tallies[name] = tallies[name] or {add = {}, set = {}, kept = retention}
  return tallies[name]
end

-- Write what has changed in a tally. It gets its expiry in the first such minute of an hour.
--   name  its key
--   its   table of its changes
local function write_tally(name, its)
  local fields, flat = {'answered_at'}, {}
  for field in pairs(its.add) do fields[#fields + 1] = field end
  local known = redis.call('HMGET', name, unpack(fields))
  for at = 2, #fields do its.set[fields[at]] = string.format('%d', (known[at] or 0) + its.add[fields[at]]) end
  for field, value in pairs(its.set) do flat[#flat + 1], flat[#flat + 2] = field, value end
  redis.call('HSET', name, unpack(flat))
  local hour = CHARTS.hour
  if math.floor((known[1] or 0) / hour) ~= math.floor(now / hour) then redis.call('PEXPIRE', name, its.kept) end
end

-- Write all tallies that the script has changed.
local function write_tallies()
  for name, its in pairs(tallies) do write_tally(name, its) end
  tallies = {}
end

-- Leave what the script has counted to the next fold, some seconds from now while a process counts anything
-- (bridge/store/figures/counts.py).
local function leave_counts()
  local here, all = prefix, counted
  counted = nil
  write_tallies()
  for its in pairs(reported) do all[its] = all[its] or {} end
  for its, sums in pairs(all) do
    prefix = its
    local lines = {}
    for name, by in pairs(sums) do lines[#lines + 1] = string.format('%d ', by) .. name end
    for _, entry in ipairs(reported[its] or {}) do lines[#lines + 1] = 'reported ' .. entry end
    local waiting = redis.call('RPUSH', key('counts'), table.concat(lines, '\n'))
    if waiting == 1 then redis.call('PEXPIRE', key('counts'), COUNTS_KEPT) end
    if waiting >= MOST_COUNTS then fold_counts() end
  end
  prefix = here
end
