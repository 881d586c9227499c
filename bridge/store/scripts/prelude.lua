-- Stands before every script. Time is Redis' own, in whole milliseconds; keys are built here and nowhere else.
-- A script may be sent again by a client that lost the answer: each one does the same the second time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key(...) return 'ghlb:' .. table.concat({...}, ':') end

-- What is learnt of a location that was removed meanwhile must not make it a location again.
local function learn(location, ...)
  local record = key('location', location)
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, ...) end
end

local function split(lane) return lane:match('^([^:]+):([^:]+)$') end

-- Statistics, which are nobody's data: totals for ever (bridge/metrics.py names them), and what charts show while they show it.
-- A script counts where it writes for the first time, since it may be sent again.
local function count(what, by) redis.call('HINCRBY', key('totals'), what, by or 1) end

local CHARTS = {minute = 60000, hour = 3600000}
local function chart(what, by)
  for span, ms in pairs(CHARTS) do
    local bucket = key('chart', span, string.format('%d', math.floor(now / ms)))
    -- The last hour by minute, the last day by hour, and some more.
    if redis.call('HINCRBY', bucket, what, by or 1) == (by or 1) then redis.call('PEXPIRE', bucket, ms * 70) end
  end
end

local REPLY_EDGES = {1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600}
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
local function count_outcome(location, message, retention)
  local is = redis.call('HMGET', message, 'status', 'reason', 'at')
  if not is[1] then return end
  local status, reason, ms = is[1], is[2] or '', math.max(0, now - tonumber(is[3] or now))
  count('messages|' .. status .. '|' .. reason)
  chart(reason == '' and status or status .. '|' .. reason)
  local tally = key('tally', location)
  redis.call('HINCRBY', tally, status, 1)
  if HEARD[status] then redis.call('HSET', tally, 'answered_at', now, 'failing', 0) end
  if status == 'dead' then redis.call('HINCRBY', tally, 'failing', 1) end
  redis.call('PEXPIRE', tally, retention)
  if HEARD[status] and status ~= 'no_reply' then count_reply(ms) end
end

local function tell(lane, event, retention)
  local timeline = key('timeline', lane)
  redis.call('RPUSH', timeline, string.format('%d ', now) .. event)
  redis.call('LTRIM', timeline, -500, -1)
  redis.call('PEXPIRE', timeline, retention)
  -- The newest events of all lanes, for those who watch.
  redis.call('XADD', key('live'), 'MAXLEN', '~', 500, '*', 'lane', lane, 'event', event)
  if redis.call('PTTL', key('live')) < retention / 2 then redis.call('PEXPIRE', key('live'), retention) end
end

local function rows(flat)
  local found = {}
  for at = 1, #flat, 2 do found[flat[at]] = flat[at + 1] end
  return found
end

local function point(id, lane, retention)
  if id ~= '' then redis.call('SET', key('index', id), lane, 'PX', retention) end
end

-- GHL's budget of a location, as it told or as it is published: requests in an interval, and a day.
local DAY = 24 * 3600 * 1000
local function limits_of(location)
  local told = redis.call('HMGET', key('limits', location), 'most', 'interval', 'daily')
  return {most = tonumber(told[1] or 100), interval = tonumber(told[2] or 10000), daily = tonumber(told[3] or 200000)}
end

-- While its budget is used up a location waits without holding a slot: it stands in `due` no earlier than that.
local function opens_at(location) return now + math.max(0, redis.call('PTTL', key('busy', location))) end

local function shut(location, ms)
  ms = math.ceil(ms)
  if ms <= redis.call('PTTL', key('busy', location)) then return end
  redis.call('SET', key('busy', location), 1, 'PX', string.format('%d', ms))
  redis.call('ZADD', key('due'), 'XX', 'GT', now + ms, location)
end

local function open(location)
  redis.call('DEL', key('busy', location))
  redis.call('ZADD', key('due'), 'XX', 'LT', now, location)
end

-- A location stands in `due` at the time of its earliest lane, so that no lane of another location is looked at in vain; but
-- never before now: its place behind those who are due already is its turn, and an old lane must not jump that queue.
local function schedule(lane, at)
  local location, contact = split(lane)
  redis.call('ZADD', key('due', location), at, contact)
  -- On hold, a location stays out of the queue, and its lanes keep their times.
  if redis.call('HEXISTS', key('location', location), 'hold') == 1 then return end
  local earlier = redis.call('ZADD', key('due'), 'LT', 'CH', math.max(at, opens_at(location)), location) == 1
  if earlier and redis.call('ZRANGE', key('due'), 0, 0)[1] == location then redis.call('PUBLISH', key('wake'), at) end
end

local function unschedule(lane)
  local location, contact = split(lane)
  redis.call('ZREM', key('due', location), contact)
  redis.call('SREM', key('retrying'), lane)
  if redis.call('EXISTS', key('due', location)) == 0 then redis.call('ZREM', key('due'), location) end
end

-- The moment at which a lane's waiting messages want an answer: quiet for the debounce, but never longer than its maximum.
local function quiet_at(lane)
  local location = split(lane)
  local waiting = key('waiting', lane)
  local first = redis.call('HGET', key('message', location, redis.call('LINDEX', waiting, 0)), 'at')
  local last = redis.call('HGET', key('message', location, redis.call('LINDEX', waiting, -1)), 'at')
  local settings = redis.call('HMGET', key('location', location), 'debounce_ms', 'debounce_max_ms')
  local debounce, most = tonumber(settings[1] or 0), tonumber(settings[2] or 0)
  return math.min((tonumber(last) or now) + debounce, (tonumber(first) or now) + most)
end

-- A worker's slot that a lane takes, for all and for its location, until a moment: a killed process gives nothing back.
local function occupy(lane, at)
  local own = key('inflight', (split(lane)))
  redis.call('ZADD', key('inflight'), at, lane)
  redis.call('ZADD', own, at, lane)
  redis.call('PEXPIRE', own, at - now + 60000)
end

local function vacate(lane)
  redis.call('ZREM', key('inflight', (split(lane))), lane)
  return redis.call('ZREM', key('inflight'), lane) == 1
end

local function leased(lane)
  local lease_until = redis.call('HGET', key('lane', lane), 'lease_until')
  return lease_until and tonumber(lease_until) > now
end

-- Put a lane that nobody holds on the schedule, or off it when nothing stands in it. A replay waits for no quiet.
local function reschedule(lane)
  local record = key('lane', lane)
  local not_before = tonumber(redis.call('HGET', record, 'not_before') or 0)
  if redis.call('HEXISTS', record, 'replaying') == 1 or redis.call('EXISTS', key('replays', lane)) == 1 then
    schedule(lane, math.max(not_before, now))
  elseif redis.call('EXISTS', key('waiting', lane)) == 1 then
    schedule(lane, math.max(not_before, quiet_at(lane)))
  else
    unschedule(lane)
  end
end

local function ring_if_due()
  local head = redis.call('ZRANGE', key('due'), 0, 0, 'WITHSCORES')[2]
  if head and tonumber(head) <= now then redis.call('PUBLISH', key('wake'), head) end
end

local function holds(lane, token)
  return redis.call('HGET', key('lane', lane), 'lease') == token
end

-- Whether a turn that wants something written down may do so; without a token it is no turn that wants it.
local function may_write(lane, token) return not token or token == '' or holds(lane, token) end

-- Redis lets a script pass at `maxmemory` whose first write can't grow memory. Those that carry work on begin with this one, so
-- that a full Redis drains.
local function pass_when_full() redis.call('DEL', key('full')) end

-- A provider has answered. What waited for it is woken by the next claim.
local function close_circuit(id)
  local record = key('circuit', id)
  redis.call('DEL', key('circuit', id, 'faults'))
  if redis.call('HEXISTS', record, 'since') == 0 then return end
  redis.call('HDEL', record, 'since', 'probe_at', 'prober')
  redis.call('HSET', record, 'closed_at', now)
  redis.call('SREM', key('circuits', 'open'), id)
  redis.call('ZADD', key('circuits'), now, id)
  redis.call('PUBLISH', key('wake'), now)
end

-- Take a dead letter off the list of open ones; false when it was closed before.
local function open_letter(id)
  local stored = redis.call('GET', key('dead', id))
  if not stored or redis.call('ZREM', key('dead'), id) == 0 then return false end
  local letter = cjson.decode(stored)
  redis.call('LREM', key('buried', letter.location_id .. ':' .. letter.contact_id), 0, id)
  return letter
end

local function mark(letter, status, reason, retention, facts)
  for _, id in ipairs(letter.message_ids) do
    local message = key('message', letter.location_id, id)
    if redis.call('EXISTS', message) == 1 then
      redis.call('HSET', message, 'status', status, 'reason', reason, 'error', '', 'facts', facts or '')
      redis.call('PEXPIRE', message, retention)
      if status ~= 'waiting' then count_outcome(letter.location_id, message, retention) end
    end
  end
end

-- The line (channel and conversation provider) of a message that GHL hasn't told the id of yet, as in `model/words.py`.
local UNKNOWN_LINE = '?'

-- The texts of young dead letters that came by the same line are answered together with a message that comes now.
local function carry(lane, line, by, retention)
  local location = split(lane)
  local max_age = tonumber(redis.call('HGET', key('location', location), 'max_age_ms') or 0)
  local function fits(buried)
    local stored = redis.call('GET', key('dead', buried))
    local first = stored and cjson.decode(stored).message_ids[1]
    local its = first and redis.call('HGET', key('message', location, first), 'line')
    return its == line or its == UNKNOWN_LINE
  end
  for _, buried in ipairs(redis.call('LRANGE', key('buried', lane), 0, -1)) do
    local failed_at = redis.call('ZSCORE', key('dead'), buried)
    local young = failed_at and now - tonumber(failed_at) < max_age
    local letter = young and fits(buried) and open_letter(buried)
    if not young then redis.call('LREM', key('buried', lane), 0, buried) end
    if letter then
      count('dead_letters|superseded')
      mark(letter, 'skipped', 'superseded', retention, 'asked about together with the newer message ' .. by)
      redis.call('RPUSH', key('carried', lane), unpack(letter.message_ids))
      tell(lane, cjson.encode({step = 'superseded', dead_letter_id = buried, message_ids = letter.message_ids, by = by}), retention)
    end
  end
  redis.call('LTRIM', key('carried', lane), -200, -1)
end

-- Its turn stands first in its lane again, with its saved answer and its ledger.
local function replay(letter, event, retention)
  local lane = letter.location_id .. ':' .. letter.contact_id
  count('dead_letters|replayed')
  redis.call('RPUSH', key('replays', lane), letter.id)
  mark(letter, 'waiting', '', retention)
  for _, id in ipairs(letter.message_ids) do redis.call('PERSIST', key('message', letter.location_id, id)) end
  for _, kept in ipairs({key('dead', letter.id), key('ledger', letter.id), key('lane', lane)}) do redis.call('PERSIST', kept) end
  tell(lane, event, retention)
  if not leased(lane) then reschedule(lane) end
end

-- Let a location off its hold; answers how many dead letters came back by it, -1 if it was not on hold.
local function lift_hold(location, event, retention)
  local record = key('location', location)
  local since = redis.call('HGET', record, 'hold')
  if not since then return -1 end
  redis.call('HDEL', record, 'hold', 'hold_why')
  redis.call('SREM', key('holds'), location)
  -- What waited meanwhile doesn't age.
  redis.call('HSET', record, 'held_from', since, 'held_until', now)
  local replayed = 0
  for _, side in ipairs({'ghl', 'provider'}) do
    for _, id in ipairs(redis.call('LRANGE', key('refusals', location, side), 0, -1)) do
      local letter = open_letter(id)
      if letter then
        replay(letter, event, retention)
        replayed = replayed + 1
      end
    end
    redis.call('DEL', key('refusals', location, side))
  end
  local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
  if head then redis.call('ZADD', key('due'), math.max(tonumber(head), opens_at(location)), location) end
  ring_if_due()
  return replayed
end

-- The app is there again: what was written before this moment is not answered.
local function come_back(location)
  local record = key('location', location)
  local stopped = redis.call('HDEL', record, 'uninstalled_at')
  if stopped == 1 then redis.call('HSET', record, 'activated_at', now) end
  return stopped
end

local function forget_grant(name)
  redis.call('DEL', key('grant', name))
  redis.call('ZREM', key('grants'), name)
end

-- A hash that ever held a long value stays large, even without it: written anew it takes a third of the memory.
-- Whatever it had of an expiry is gone.
local function forget(name, ...)
  redis.call('HDEL', name, ...)
  local left = redis.call('HGETALL', name)
  redis.call('DEL', name)
  if #left > 0 then redis.call('HSET', name, unpack(left)) end
end

-- A turn is over, and nothing of it may reach the next one; what is known of its lane stays.
local function forget_turn(lane)
  forget(
    key('lane', lane), 'lease', 'lease_until', 'unfinished', 'not_before', 'written', 'parked', 'turn', 'attempts', 'answer',
    'answered', 'answered_at', 'looks', 'asks', 'stale', 'replaying', 'claimed', 'parts', 'asked'
  )
end

-- A lane in which nothing stands is kept for its time.
local function keep_lane(lane, retention)
  local location, contact = split(lane)
  if redis.call('ZSCORE', key('due', location), contact) then return end
  redis.call('PEXPIRE', key('lane', lane), retention)
  redis.call('PEXPIRE', key('carried', lane), retention)
end

local function revision(lane) return tonumber(redis.call('HGET', key('standing', lane), 'revision') or 0) end

-- The channels that a contact has stopped, and since when.
local function stops(lane)
  local fields, found = rows(redis.call('HGETALL', key('standing', lane))), {}
  for name, at in pairs(fields) do
    local channel = name:match('^stop:(.+)$')
    if channel and tonumber(at) >= tonumber(fields['start:' .. channel] or 0) then found[channel] = at end
  end
  return found
end

-- Stops, pauses and takeovers without an end stay until they are lifted; the rest of a standing expires.
local function keep_standing(lane, retention)
  local record = key('standing', lane)
  local settings = redis.call('HMGET', key('location', (split(lane))), 'takeover_ms', 'by_workflow')
  local spoken = redis.call('HMGET', record, 'human_at', 'automation_at', 'resumed_at')
  local takeover, newest = tonumber(settings[1] or 0), tonumber(spoken[1] or 0)
  if settings[2] == '1' then newest = math.max(newest, tonumber(spoken[2] or 0)) end
  local endless = takeover < 0 and newest > tonumber(spoken[3] or 0)
  if endless or redis.call('HEXISTS', record, 'paused_at') == 1 or next(stops(lane)) then
    redis.call('PERSIST', record)
  else
    redis.call('PEXPIRE', record, math.max(retention, takeover))
  end
end

-- A pause that was said before anything was known of the contact.
local function adopt_pause(lane, id, retention)
  local since = id ~= '' and redis.call('GET', key('paused', id))
  if not since then return end
  redis.call('HSET', key('standing', lane), 'paused_at', since)
  redis.call('HINCRBY', key('standing', lane), 'revision', 1)
  redis.call('DEL', key('paused', id))
  keep_standing(lane, retention)
end

-- Likewise for what is kept of an erased contact.
local function keep_forbidden(kept, location, retention)
  local fields = redis.call('HKEYS', kept)
  local takeover = tonumber(redis.call('HGET', key('location', location), 'takeover_ms') or 0)
  if #fields == 1 and fields[1] == 'human_at' and takeover >= 0 then
    redis.call('PEXPIRE', kept, math.max(1, math.min(takeover, retention)))
  else
    redis.call('PERSIST', kept)
  end
end

-- An erased contact is heard of again: what it forbade before counts as it did.
local function restore(lane, digests, retention)
  for _, digest in ipairs(digests or {}) do
    local kept = key('erased', digest)
    local fields = redis.call('HGETALL', kept)
    for at = 1, #fields, 2 do redis.call('HSETNX', key('standing', lane), fields[at], fields[at + 1]) end
    if #fields > 0 then
      redis.call('DEL', kept)
      redis.call('HINCRBY', key('standing', lane), 'revision', 1)
      keep_standing(lane, retention)
      tell(lane, cjson.encode({step = 'restored', what = 'what was forbidden before the contact was erased'}), retention)
    end
  end
end

-- A stop takes effect at once: what waits on the lane is looked at now, and finds it.
local function say_stop(lane, channel, at, retention)
  local record = key('standing', lane)
  if at > tonumber(redis.call('HGET', record, 'stop:' .. channel) or 0) then redis.call('HSET', record, 'stop:' .. channel, at) end
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  if not stops(lane)[channel] then return end
  if redis.call('HDEL', key('lane', lane), 'not_before') == 1 and not leased(lane) then reschedule(lane) end
end

-- Noted even if nothing is stopped: an older stop may come later.
local function say_start(lane, channel, at, retention)
  local record = key('standing', lane)
  if at > tonumber(redis.call('HGET', record, 'start:' .. channel) or 0) then redis.call('HSET', record, 'start:' .. channel, at) end
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
end

-- The conversation's words, for those who answer it: a sorted set, so that to say the same twice is to say it once.
local function remember(lane, at, said, retention)
  local record = key('said', lane)
  redis.call('ZADD', record, at, said)
  redis.call('ZREMRANGEBYRANK', record, 0, -201)
  redis.call('PEXPIRE', record, retention)
end

local function own(lane, id, turn, retention)
  local location = split(lane)
  redis.call('SET', key('own', location, id), turn, 'PX', retention)
  point(id, lane, retention)
end

-- A part of ours was heard of, so that it is in GHL, whatever we knew of it before.
local function settle(lane, turn, part, id, retention)
  local ledger = key('ledger', turn)
  local stored = redis.call('HGET', ledger, part)
  own(lane, id, turn, retention)
  local entry = stored and cjson.decode(stored)
  if not entry or entry.state == 'sent' then return end
  entry.state, entry.message_ids = 'sent', {id}
  redis.call('HSET', ledger, part, cjson.encode(entry))
  tell(lane, cjson.encode({step = 'sent', part = part, reply_ids = {id}, how = 'heard from GHL'}), retention)
  local record = key('lane', lane)
  if redis.call('HGET', record, 'turn') == turn then
    redis.call('HDEL', record, 'not_before')
    if not leased(lane) then schedule(lane, now) end
  elseif entry.last and redis.call('ZSCORE', key('dead'), turn) then
    local letter = open_letter(turn)
    mark(letter, 'replied', '', retention)
    local replies = {}
    for _, one in ipairs(redis.call('HVALS', ledger)) do
      for _, reply in ipairs(cjson.decode(one).message_ids) do replies[#replies + 1] = reply end
    end
    for _, message in ipairs(letter.message_ids) do
      redis.call('HSET', key('message', letter.location_id, message), 'replies', cjson.encode(replies))
    end
    tell(lane, cjson.encode({step = 'replied', message_ids = letter.message_ids, reply_ids = replies, dead_letter_id = turn}), retention)
  end
end

-- Whether a call to the outside is open whose message may be heard of before its answer comes.
local function call_is_open(lane)
  local turn = redis.call('HGET', key('lane', lane), 'turn')
  for _, stored in ipairs(turn and redis.call('HVALS', key('ledger', turn)) or {}) do
    local state = cjson.decode(stored).state
    if state == 'sending' or state == 'asking' then return true end
  end
  return false
end

-- Newer words than those that are known; `name` is who spoke. Answers whether they are.
local function spoke(lane, name, at, message, retention)
  local record = key('standing', lane)
  if message.said ~= '' then remember(lane, at, message.said, retention) end
  local known = redis.call('HMGET', record, name .. '_at', name .. '_id')
  -- GHL tells of a message again whenever its status changes.
  if known[2] == message.id or at <= tonumber(known[1] or 0) then return false end
  redis.call('HSET', record, name .. '_at', at, name .. '_id', message.id)
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  tell(lane, message.event, retention)
  return true
end

-- A text of ours counts as ours for a day from its attempt on: by then its own id is known, and a person may well say the same.
-- GHL's clock, by which messages are dated, may be behind.
local OURS_BY_TEXT, CLOCKS_APART = 24 * 3600 * 1000, 120 * 1000

-- Which part of which turn a message is, by its words, or by the id that a provider has claimed.
local function part_of(lane, message, at)
  local posted = message.digest ~= '' and redis.call('HGET', key('posted', lane), message.digest)
  if posted then
    local turn, part, since = posted:match('^(%S+) (%S+) (%d+)$')
    if at > since - CLOCKS_APART and at < since + OURS_BY_TEXT then return turn, part end
  end
  local answer = redis.call('HMGET', key('lane', lane), 'claimed', 'turn')
  if answer[1] == message.id and answer[1] ~= '' then return answer[2], 'ask' end
end

-- Hear of one message that left the conversation. Answers whether somebody spoke anew.
local function hear(lane, message, retention)
  local location = split(lane)
  if redis.call('EXISTS', key('own', location, message.id)) == 1 then return false end
  local at = message.at > 0 and math.min(message.at, now) or now
  local turn, part = part_of(lane, message, at)
  if turn then
    settle(lane, turn, part, message.id, retention)
    return false
  end
  -- Of what is older than our memory it can't be told whether it is ours.
  local longest = math.max(retention, tonumber(redis.call('HGET', key('location', location), 'takeover_ms') or 0))
  if message.by == 'nobody' or at < now - longest then return false end
  if message.by == 'automation' then
    -- A campaign writes to thousands who never wrote: nothing is kept of them unless it counts.
    local counts = redis.call('HGET', key('location', location), 'by_workflow') == '1'
    if not counts and redis.call('EXISTS', key('timeline', lane)) == 0 then return false end
    return spoke(lane, 'automation', at, message, retention)
  end
  if not message.user and call_is_open(lane) then
    local unclear = key('unclear', lane)
    redis.call('HSET', unclear, message.id, cjson.encode(message))
    redis.call('PEXPIRE', unclear, OURS_BY_TEXT)
    return false
  end
  return spoke(lane, 'human', at, message, retention)
end

-- No call is open any more: what was heard meanwhile is ours by now, or a person's.
local function clear_up(lane, retention)
  local unclear = key('unclear', lane)
  if redis.call('EXISTS', unclear) == 0 or call_is_open(lane) then return end
  local waiting = redis.call('HVALS', unclear)
  redis.call('DEL', unclear)
  for _, message in ipairs(waiting) do hear(lane, cjson.decode(message), retention) end
end

-- A turn is over. If it will never be known what its provider delivered, what was heard meanwhile may be just that.
local function clear_up_after(lane, turn, retention)
  local asked = redis.call('HGET', key('ledger', turn), 'ask')
  if asked and cjson.decode(asked).state == 'asking' then redis.call('DEL', key('unclear', lane)) end
  clear_up(lane, retention)
end

-- What a worker writes while it holds a lane: message fields, lane fields, the ledger of sends, our own message ids, events.
local function apply(lane, patch, retention)
  local location = split(lane)
  for id, fields in pairs(patch.messages or {}) do
    for name, value in pairs(fields) do redis.call('HSET', key('message', location, id), name, value) end
    if fields.reason == 'reply_cap' then
      redis.call('ZADD', key('capped'), now, lane)
      redis.call('ZREMRANGEBYRANK', key('capped'), 0, -1001)
      redis.call('PEXPIRE', key('capped'), 24 * 3600 * 1000)
    end
  end
  for name, value in pairs(patch.lane or {}) do redis.call('HSET', key('lane', lane), name, value) end
  local ended = {}
  for _, id in ipairs(patch.done or {}) do
    ended[id] = true
    redis.call('LREM', key('waiting', lane), 1, id)
    local message = key('message', location, id)
    count_outcome(location, message, retention)
    -- Only a dead letter's text may be wanted again.
    if redis.call('HGET', message, 'status') ~= 'dead' then forget(message, 'body', 'line') end
    redis.call('PEXPIRE', message, retention)
  end
  local replaying = patch.done and redis.call('HGET', key('lane', lane), 'replaying')
  if replaying then
    local left = {}
    for _, id in ipairs(cjson.decode(replaying)) do
      if not ended[id] then left[#left + 1] = id end
    end
    redis.call('HSET', key('lane', lane), 'replaying', cjson.encode(left))
  end
  local heard_before = false
  for part, entry in pairs(patch.ledger or {}) do
    -- Its echo came before its answer: that it was sent is told already.
    local before = redis.call('HGET', key('ledger', patch.turn), part)
    heard_before = before and cjson.decode(before).state == 'sent' and cjson.decode(entry).state == 'sent'
    redis.call('HSET', key('ledger', patch.turn), part, entry)
    redis.call('PEXPIRE', key('ledger', patch.turn), retention)
  end
  for part, one in pairs(patch.posting or {}) do
    local posted = key('posted', lane)
    if redis.call('HLEN', posted) > 200 then redis.call('DEL', posted) end
    redis.call('HSET', posted, one[1], patch.turn .. ' ' .. part .. ' ' .. string.format('%d', one[2] or now))
    redis.call('PEXPIRE', posted, OURS_BY_TEXT)
  end
  for _, id in ipairs(patch.own or {}) do own(lane, id, patch.turn, retention) end
  for _, said in ipairs(patch.said or {}) do remember(lane, said[1], said[2], retention) end
  clear_up(lane, retention)
  -- Once on hold, the dead letters that caused it are kept: its end replays them.
  if redis.call('HEXISTS', key('location', location), 'hold') == 0 then
    for _, side in ipairs(patch.welcomed or {}) do redis.call('DEL', key('refusals', location, side)) end
  end
  -- Answers in a row without a claim of delivery tell that this location's provider leaves the delivery to us.
  if patch.claimed == false then
    learn(location, 'unclaimed', tonumber(redis.call('HGET', key('location', location), 'unclaimed') or 0) + 1)
  end
  if patch.claimed == true then learn(location, 'unclaimed', 0) end
  -- ... and so do claims in a row that turned out true that it delivers by itself.
  if patch.seen == true then learn(location, 'seen', tonumber(redis.call('HGET', key('location', location), 'seen') or 0) + 1) end
  if patch.seen == false or patch.claimed == false then learn(location, 'seen', 0) end
  for _, event in ipairs(not heard_before and patch.events or {}) do tell(lane, event, retention) end
end
