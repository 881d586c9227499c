-- What daily reports are made of: what happened, as one short entry each in the list of its partition. A reader, or a process from
-- time to time, adds them to the days of their locations (`fold_report.lua`): only Python knows when a day begins in a time zone.
-- Needs: counts

-- Note what happened, without whose message it was; in scripts that leave their counts to the next fold, together with these.
-- bridge/policy/report_entries.py reads it.
--   code  a: a message came; how it ended: r replied, p delivered by the provider, n no reply, s skipped, d dead (each with a minus
--         before it: not any more); h: handed over to a person; o: opted out; u: a reply was not delivered; t: an answer was paid
--   more  seconds until the reply, or who answered and its tokens (`usage.py`); nil: nothing
local function report(location, code, at, more)
  local entry = string.format('%s %s %d', location, code, math.floor(at / 60000)) .. (more and ' ' .. more or '')
  if not counted then
    redis.call('RPUSH', key('reported'), entry)
    return
  end
  local its = reported[prefix] or {}
  reported[prefix] = its
  its[#its + 1] = entry
end
