-- What operators see: timelines, the newest events of all lanes, and counts.
-- Needs: ends, reports

-- Statistics without personal data: totals that never expire (bridge/metrics.py names them), and the counts of charts.
-- A script counts where it writes for the first time, since it may be sent again.

-- What a script counts that leaves its counts to the next fold: by the prefix of the partition, and by moment (0: none) and
-- name, how much. Nil: it adds them at once.
local counted

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

local CHARTS = {minute = 60000, hour = 3600000}

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
    if now - (at or now) < ms * 70 then
      local bucket = key('chart', span, string.format('%d', math.floor((at or now) / ms)))
      if redis.call('HINCRBY', bucket, what, by or 1) == (by or 1) then redis.call('PEXPIRE', bucket, ms * 70) end
    end
  end
end

-- Add what scripts have counted to the totals and the charts; what is on the list is counted once, by any process.
local function fold_counts()
  local lists, sums = redis.call('LRANGE', key('counts'), 0, -1), {}
  if not lists[1] then return end
  redis.call('DEL', key('counts'))
  for _, list in ipairs(lists) do
    for by, at, what in list:gmatch('(%-?%d+) (%d+) ([^\n]+)') do
      -- Of the same minute, and so of the same hour.
      local name = string.format('%d ', at - at % CHARTS.minute) .. what
      sums[name] = (sums[name] or 0) + by
    end
  end
  for name, by in pairs(sums) do
    local at, what = name:match('^(%d+) (.*)$')
    if at == '0' then count(what, by) else chart(what, by, tonumber(at)) end
  end
end

-- Fold the counts of some partitions; then the script goes on where it was.
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

-- So many lists are folded at once: Redis serves nobody else meanwhile.
local MOST_COUNTS, COUNTS_KEPT = 1000, 30 * 24 * 3600 * 1000

-- Leave what the script has counted to the next fold, a second from now at most while a process counts anything
-- (bridge/store/figures/counts.py).
local function leave_counts()
  local here, all = prefix, counted
  counted = nil
  for its, sums in pairs(all) do
    prefix = its
    local lines = {}
    for name, by in pairs(sums) do lines[#lines + 1] = string.format('%d ', by) .. name end
    local waiting = redis.call('RPUSH', key('counts'), table.concat(lines, '\n'))
    if waiting == 1 then redis.call('PEXPIRE', key('counts'), COUNTS_KEPT) end
    if waiting >= MOST_COUNTS then fold_counts() end
  end
  prefix = here
end

local REPLY_EDGES = {1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600}

-- Count a reply time in the buckets of bridge/metrics.py.
--   ms  from the message to the reply
local function count_reply(ms, at)
  local le = 'inf'
  for place = #REPLY_EDGES, 1, -1 do
    if ms <= REPLY_EDGES[place] * 1000 then le = REPLY_EDGES[place] end
  end
  count('reply|' .. le)
  count('reply|ms', ms)
  chart('reply_ms', ms, at)
end

-- Count the outcome of a message, for all locations together and for its own (`failing`: failed messages since the last reply).
local HEARD = {replied = true, no_reply = true, delivered_by_provider = true}

local WORK = {waiting = true, answering = true, retrying = true}

-- Count an outcome for the charts, or undo that.
--   status  of the message
--   reason  of the outcome
--   by      1, or -1
local function chart_end(status, reason, by, at)
  if reason ~= '' then chart(status .. '|' .. reason, by, at) end
  -- `no_reply` is also counted without its reason, as older versions did.
  if reason == '' or status == 'no_reply' then chart(status, by, at) end
end

local REPORTED = {replied = 'r', delivered_by_provider = 'p', no_reply = 'n', skipped = 's', dead = 'd'}

-- Note an end for the daily report, or that it is none any more.
--   lane  of the message; nil, as it is in a record that is not known: nothing is noted
--   sign  empty, or a minus
--   status  of the message
--   ms    until the reply; nil: there was none
local function report_end(lane, sign, status, at, ms)
  if lane then report((split(lane)), sign .. REPORTED[status], at, ms and string.format('%d', ms / 1000)) end
end

-- Undo the outcome of a message that is worked on again: it arrived once, and counts once.
--   message  the key of its record
local function uncount_outcome(message)
  local is = redis.call('HMGET', message, 'status', 'reason', 'at', 'lane')
  if not is[1] or not is[3] or WORK[is[1]] then return end
  chart_end(is[1], is[2] or '', -1, tonumber(is[3]))
  report_end(is[4], '-', is[1], tonumber(is[3]))
end

-- A message has come, now.
local function count_arrival(location)
  chart('accepted')
  report(location, 'a', now)
end

-- Uncount a message that is deleted while it is in work.
--   message  the key of its record
local function uncount_arrival(message)
  local is = redis.call('HMGET', message, 'status', 'at', 'lane')
  if not is[1] or not is[2] or not WORK[is[1]] then return end
  chart('accepted', -1, tonumber(is[2]))
  if is[3] then report((split(is[3])), '-a', tonumber(is[2])) end
end

-- Count the outcome of a message, and note it for its conversation.
--   is  table of its record: status (nil: the record has expired and is not counted), reason, lane, line, at (ms, may be text)
local function count_ended(location, is, retention)
  if not is.status then return end
  local status, reason, at = is.status, is.reason or '', tonumber(is.at or now)
  if is.lane then note_end(is.lane, status, reason, is.line or '', now, retention) end
  count('messages|' .. status .. '|' .. reason)
  chart_end(status, reason, 1, at)
  local replied_ms = HEARD[status] and status ~= 'no_reply' and math.max(0, now - at) or nil
  report_end(is.lane, '', status, at, replied_ms)
  local tally = key('tally', location)
  redis.call('HINCRBY', tally, status, 1)
  if HEARD[status] then redis.call('HSET', tally, 'answered_at', now, 'failing', 0) end
  if status == 'dead' then redis.call('HINCRBY', tally, 'failing', 1) end
  redis.call('PEXPIRE', tally, retention)
  if replied_ms then count_reply(replied_ms, at) end
end

-- Count the outcome of a message by its key, and note it for its conversation.
--   message  the key of its record
--   line     of the message, if its record doesn't contain it; nil: it does
local function count_outcome(location, message, retention, line)
  local is = redis.call('HMGET', message, 'status', 'reason', 'at', 'lane', 'line')
  local record = {status = is[1] or nil, reason = is[2] or nil, at = is[3] or nil, lane = is[4] or nil, line = line or is[5] or nil}
  count_ended(location, record, retention)
end

-- Lanes that this script has published already. The end of the turn sets the timeline's expiry, so a step within it need not.
local told_of, within_turn = {}, false

-- Add events to the lane's timeline; the lane is among those of which was told last, for those who watch.
--   events  list of them (JSON)
local function tell_all(lane, events, retention)
  if not events[1] then return end
  local timeline, lines = key('timeline', lane), {}
  for place, event in ipairs(events) do lines[place] = string.format('%d ', now) .. event end
  local length = redis.call('RPUSH', timeline, unpack(lines))
  if length > 500 then redis.call('LTRIM', timeline, -500, -1) end
  if told_of[lane] then return end
  told_of[lane] = true
  if not within_turn or length == #lines then redis.call('PEXPIRE', timeline, retention) end
  -- In the middle of a turn that matters only to those who watch (bridge/store/figures/live_events.py).
  local is_beginning = length == #lines
  if within_turn and not is_beginning and redis.call('EXISTS', key('watched')) == 0 then return end
  if redis.call('ZADD', key('recent'), now, lane) == 0 then return end
  local lanes = redis.call('ZCARD', key('recent'))
  if lanes % 50 == 1 or lanes > 500 then redis.call('PEXPIRE', key('recent'), retention) end
  if lanes > 550 then redis.call('ZREMRANGEBYRANK', key('recent'), 0, -501) end
end

-- Add one event to the lane's timeline, as `tell_all` does.
local function tell(lane, event, retention) tell_all(lane, {event}, retention) end
