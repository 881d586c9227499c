-- What daily reports are made of: what happened, as one short entry each in one list. A reader, or a process from time to
-- time, adds them to the days of their locations (`fold_report.lua`): only Python knows when a day begins in a time zone.

-- Entries that are written together at the end of a script; nil: each is written at once.
local collected

-- Note what happened, without whose message it was. bridge/policy/report_entries.py reads it.
--   code  a: a message came; how it ended: r replied, p delivered by the provider, n no reply, s skipped, d dead (each with a minus
--         before it: not any more); h: handed over to a person; o: opted out; u: a reply was not delivered; t: an answer was paid
--   more  seconds until the reply, or who answered and its tokens (`usage.py`); nil: nothing
local function report(location, code, at, more)
  local entry = string.format('%s %s %d', location, code, math.floor(at / 60000)) .. (more and ' ' .. more or '')
  if collected then
    collected[#collected + 1] = entry
  else
    redis.call('RPUSH', key('reported'), entry)
  end
end

-- From here on, write entries together.
local function collect_reports() collected = {} end

-- Write what was collected.
local function write_reports()
  if collected and collected[1] then redis.call('RPUSH', key('reported'), unpack(collected)) end
  collected = nil
end
