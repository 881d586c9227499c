-- What happened, for those who look: timelines, the lanes with the newest events, and counts.

-- Statistics, which are nobody's data: totals for ever (bridge/metrics.py names them), and what charts show while they show it.
-- A script counts where it writes for the first time, since it may be sent again.
--   what  name of the total
--   by    how much is added; nil: 1
local function count(what, by) redis.call('HINCRBY', key('totals'), what, by or 1) end

local CHARTS = {minute = 60000, hour = 3600000}

-- Count for the charts: the last hour by minute, the last day by hour, and some more.
--   what  name of the count
--   by    how much is added; nil: 1
local function chart(what, by)
  for span, ms in pairs(CHARTS) do
    local bucket = key('chart', span, string.format('%d', math.floor(now / ms)))
    -- The last hour by minute, the last day by hour, and some more.
    if redis.call('HINCRBY', bucket, what, by or 1) == (by or 1) then redis.call('PEXPIRE', bucket, ms * 70) end
  end
end

local REPLY_EDGES = {1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600}

-- Count how long a reply took, by the edges of bridge/metrics.py.
--   ms  from the message to the reply
local function count_reply(ms)
  local le = 'inf'
  for at = #REPLY_EDGES, 1, -1 do
    if ms <= REPLY_EDGES[at] * 1000 then le = REPLY_EDGES[at] end
  end
  count('reply|' .. le)
  count('reply|ms', ms)
  chart('reply_ms', ms)
end

-- A message is over: what became of it, for all together and for its location (`failing`: messages since the last reply).
local HEARD = {replied = true, no_reply = true, delivered_by_provider = true}

-- Count what became of a message that is over.
--   status  of it; nil: it is not kept any more, and not counted
--   reason  of it; nil: none
--   at      when it came (ms, may be text); nil: now
local function count_ended(location, status, reason, at, retention)
  if not status then return end
  local ms = math.max(0, now - tonumber(at or now))
  reason = reason or ''
  count('messages|' .. status .. '|' .. reason)
  if reason ~= '' then chart(status .. '|' .. reason) end
  -- Of silence the whole is counted too: it had no reasons before.
  if reason == '' or status == 'no_reply' then chart(status) end
  local tally = key('tally', location)
  redis.call('HINCRBY', tally, status, 1)
  if HEARD[status] then redis.call('HSET', tally, 'answered_at', now, 'failing', 0) end
  if status == 'dead' then redis.call('HINCRBY', tally, 'failing', 1) end
  redis.call('PEXPIRE', tally, retention)
  if HEARD[status] and status ~= 'no_reply' then count_reply(ms) end
end

-- Likewise.
--   message  the key of its record
local function count_outcome(location, message, retention)
  local is = redis.call('HMGET', message, 'status', 'reason', 'at')
  count_ended(location, is[1], is[2], is[3], retention)
end

-- Lanes of which this script has told already; a step within a turn is followed by the turn's end, which keeps the timeline.
local told_of, within_turn = {}, false

-- Add an event to the lane's timeline; the lane is among those of which was told last, for those who watch.
local function tell(lane, event, retention)
  local timeline = key('timeline', lane)
  local length = redis.call('RPUSH', timeline, string.format('%d ', now) .. event)
  if length > 500 then redis.call('LTRIM', timeline, -500, -1) end
  if told_of[lane] then return end
  told_of[lane] = true
  if not within_turn or length == 1 then redis.call('PEXPIRE', timeline, retention) end
  if redis.call('ZADD', key('recent'), now, lane) == 1 then
    redis.call('ZREMRANGEBYRANK', key('recent'), 0, -501)
    redis.call('PEXPIRE', key('recent'), retention)
  end
end
