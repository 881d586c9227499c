-- What operators see: timelines, the newest events of all lanes, and counts.
-- Needs: ends, counts, reports

-- Statistics without personal data: totals and charts are parts/counts.lua; these are the outcomes.

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

-- Note an end for the daily report, or undo that.
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

-- Count a message that has just arrived.
local function count_arrival(location)
  chart('accepted')
  report(location, 'a', now)
end

-- Uncount a message that is deleted while it is in progress.
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
  local tally = tally_of(key('tally', location), retention)
  tally.add[status] = (tally.add[status] or 0) + 1
  if HEARD[status] then
    tally.set.answered_at, tally.set.failing, tally.add.failing = now, 0, nil
  elseif status == 'dead' and tally.set.failing then
    tally.set.failing = tally.set.failing + 1
  elseif status == 'dead' then
    tally.add.failing = (tally.add.failing or 0) + 1
  end
  if not counted then write_tallies() end
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
-- Lanes of which was told within a minute, by a script that published it.
local LATELY_MS, told_lately = 60000, {}

-- Add events to the lane's timeline, and put the lane first among those with new events, for open pages.
--   events  list of them (JSON)
local function tell_all(lane, events, retention)
  if not events[1] then return end
  local timeline, lines = key('timeline', lane), {}
  for place, event in ipairs(events) do lines[place] = string.format('%d ', now) .. event end
  local length = redis.call('RPUSH', timeline, unpack(lines))
  if length > 500 then redis.call('LTRIM', timeline, -500, -1) end
  if told_of[lane] then return end
  told_of[lane] = true
  if told_lately[lane] and length > #lines and not is_there(key('watched')) then return end
  if not within_turn or length == #lines then redis.call('PEXPIRE', timeline, retention) end
  -- Within a turn that matters only to open pages (bridge/store/figures/live_events.py).
  local is_beginning = length == #lines
  if within_turn and not is_beginning and not is_there(key('watched')) then return end
  if redis.call('ZADD', key('recent'), now, lane) == 0 then return end
  local lanes = redis.call('ZCARD', key('recent'))
  if lanes % 50 == 1 or lanes > 500 then redis.call('PEXPIRE', key('recent'), retention) end
  if lanes > 550 then redis.call('ZREMRANGEBYRANK', key('recent'), 0, -501) end
end

-- Add one event to the lane's timeline, as `tell_all` does.
local function tell(lane, event, retention) tell_all(lane, {event}, retention) end
