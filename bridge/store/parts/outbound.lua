-- Outbound messages: the bridge's, a provider's, a person's.
-- Needs: timeline, schedule, dead_letters, standings, delivery, rollback

-- Add messages to the transcript of a conversation. It is a sorted set, so that adding a message twice has no effect.
--   words  list of {time (ms), message (JSON, as bridge/store/lanes/transcripts.py writes it)}
local function remember_all(lane, words, retention)
  if not words[1] then return end
  local record, members = key('said', lane), {}
  for _, one in ipairs(words) do members[#members + 1], members[#members + 2] = one[1], one[2] end
  redis.call('ZADD', record, unpack(members))
  redis.call('ZREMRANGEBYRANK', record, 0, -201)
  redis.call('PEXPIRE', record, retention)
end

-- Add one message to the transcript.
--   said  message (JSON)
local function remember(lane, at, said, retention) remember_all(lane, {{at, said}}, retention) end

-- Note that a message is the bridge's own, so that no event attributes it to a person.
--   id    of the message
--   turn  that posted it; `provider`: the provider delivered it
local function own(lane, id, turn, retention)
  local location = split(lane)
  redis.call('SET', key('own', location, id), turn, 'PX', retention)
  point(id, lane, retention)
end

-- Count a turn that reached the contact towards the limit of replies a day.
local function note_reply(lane, turn, at)
  local record, replies, is = key('lane', lane), key('replies', lane), whole[lane]
  local before = is and is.replied_at or not is and redis.call('HGET', record, 'replied_at') or 0
  if at > tonumber(before) then
    if is then is.replied_at = at else redis.call('HSET', record, 'replied_at', at) end
  end
  redis.call('ZADD', replies, at, turn)
  if before ~= 0 then redis.call('ZREMRANGEBYSCORE', replies, '-inf', now - 24 * 3600 * 1000) end
  redis.call('PEXPIRE', replies, 24 * 3600 * 1000)
end

-- End a dead letter as its turn would have ended: its reply turned out to be in GHL.
--   turn  id of the dead letter
local function close_dead_letter(lane, turn, at, retention)
  local dead_letter, replies = take_dead_letter(turn), {}
  mark(dead_letter, 'replied', '', retention)
  for _, one in ipairs(redis.call('HVALS', key('ledger', turn))) do
    for _, reply in ipairs(cjson.decode(one).message_ids) do replies[#replies + 1] = reply end
  end
  for _, message in ipairs(dead_letter.message_ids) do
    redis.call('HSET', key('message', dead_letter.location_id, message), 'replies', cjson.encode(replies))
  end
  for _, said in ipairs(dead_letter.said or {}) do remember(lane, said[1], said[2], retention) end
  for _, id in ipairs(dead_letter.carried or {}) do redis.call('LREM', key('carried', lane), 1, id) end
  note_reply(lane, turn, at)
  keep_lane(lane, retention)
  tell(lane, cjson.encode({step = 'replied', message_ids = dead_letter.message_ids, reply_ids = replies, dead_letter_id = turn}), retention)
end

-- Note that GHL reported a part of a reply: so it is in GHL, whatever was known before.
--   part     of the reply, or `ask`
--   message  see `observe.lua`
local function confirm_sent(lane, turn, part, message, at, retention)
  local ledger = key('ledger', turn)
  local stored = redis.call('HGET', ledger, part)
  own(lane, message.id, turn, retention)
  local entry = stored and cjson.decode(stored)
  local says = message.by ~= 'nobody' and message.said ~= ''
  if entry and entry.state == 'sent' then
    -- A person has sent a draft unchanged: now it has reached the contact.
    if entry.draft and says then remember(lane, at, message.said, retention) end
    return
  end
  if not entry then return end
  entry.state, entry.message_ids, entry.draft = 'sent', {message.id}, message.by == 'nobody'
  redis.call('HSET', ledger, part, cjson.encode(entry))
  tell(lane, cjson.encode({step = 'sent', part = part, reply_ids = {message.id}, how = 'heard from GHL'}), retention)
  count_taken((split(lane)), message.channel, retention)
  local record = key('lane', lane)
  if redis.call('HGET', record, 'turn') == turn then
    redis.call('HDEL', record, 'not_before')
    if not leased(lane) then schedule(lane, now) end
    return
  end
  -- The turn is over, and so can't add it to the transcript itself.
  if says then remember(lane, at, message.said, retention) end
  if entry.last and redis.call('ZSCORE', key('dead'), turn) then close_dead_letter(lane, turn, at, retention) end
end

-- Whether a call is in progress whose message GHL may report before the call is answered.
-- Answers true or false.
local function call_is_open(lane)
  local turn = redis.call('HGET', key('lane', lane), 'turn')
  for _, stored in ipairs(turn and redis.call('HVALS', key('ledger', turn)) or {}) do
    local state = cjson.decode(stored).state
    if state == 'sending' or state == 'asking' then return true end
  end
  return false
end

-- Note when a person or an automation wrote last, if this is newer.
--   name     who wrote: `human` or `automation`
--   message  see `observe.lua`
-- Answers whether it is newer.
local function note_speaker(lane, name, at, message, retention)
  local record = key('standing', lane)
  if message.said ~= '' then remember(lane, at, message.said, retention) end
  local known = redis.call('HMGET', record, name .. '_at', name .. '_id')
  -- GHL reports a message again whenever its status changes.
  if known[2] == message.id or at <= tonumber(known[1] or 0) then return false end
  redis.call('HSET', record, name .. '_at', at, name .. '_id', message.id, name .. '_by', message.by)
  if name == 'human' then redis.call('ZREM', key('handovers'), lane) end
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  tell(lane, message.event, retention)
  return true
end

-- A text that the bridge sent is recognised for a day after the attempt. Later its id is known, and a person may write the same.
-- GHL's clock, which dates the messages, may be slow.
local OURS_BY_TEXT, CLOCKS_APART = 24 * 3600 * 1000, 120 * 1000

-- Find the turn and the part that a message is, by its text, or by the id that a provider claimed.
--   message  see `observe.lua`
-- Answers turn, part; nil if it is not a part of the bridge's.
local function part_of(lane, message, at)
  local posted = message.digest ~= '' and redis.call('HGET', key('posted', lane), message.digest)
  if posted then
    local turn, part, since = posted:match('^(%S+) (%S+) (%d+)$')
    if at > since - CLOCKS_APART and at < since + OURS_BY_TEXT then return turn, part end
  end
  local answer = redis.call('HMGET', key('lane', lane), 'claimed', 'turn')
  if answer[1] == message.id and answer[1] ~= '' then return answer[2], 'ask' end
end

-- Whether a message may have been posted by a provider, which may post other text than it answered with: in parts, or without
-- markup.
--   message  see `observe.lua`
-- Answers true or false.
local function delivered_lately(lane, message, at)
  if message.user or redis.call('HGET', key('location', (split(lane))), 'delivers') ~= '1' then return false end
  return math.abs(at - tonumber(redis.call('HGET', key('lane', lane), 'replied_at') or 0)) < 10 * 60 * 1000
end

-- The calls that count as a person's message, for each value of the location's `takeover_by_call`.
local CALLS = {call = {answered = true, always = true}, missed_call = {always = true}}

-- Observe one outbound message.
--   message  see `observe.lua`
-- Answers whether it is a new message of a person or an automation.
local function observe(lane, message, retention)
  local location = split(lane)
  local ours = redis.call('GET', key('own', location, message.id))
  if ours then
    note_delivery(lane, ours, message, retention)
    return false
  end
  local at = message.at > 0 and math.min(message.at, now) or now
  local turn, part = part_of(lane, message, at)
  if turn then
    confirm_sent(lane, turn, part, message, at, retention)
    note_delivery(lane, turn, message, retention)
    return false
  end
  -- If a message is older than the records, it is impossible to tell whether it is the bridge's.
  local longest = math.max(retention, tonumber(redis.call('HGET', key('location', location), 'takeover_ms') or 0))
  if message.by == 'nobody' or at < now - longest then return false end
  if message.by == 'automation' then
    -- A campaign writes to thousands of contacts who never wrote. Their messages are stored only if they matter.
    local counts = redis.call('HGET', key('location', location), 'by_workflow') == '1'
    if not counts and redis.call('EXISTS', key('timeline', lane)) == 0 then return false end
    return note_speaker(lane, 'automation', at, message, retention)
  end
  if CALLS[message.by] then
    local setting = redis.call('HGET', key('location', location), 'by_call') or 'answered'
    return CALLS[message.by][setting] ~= nil and note_speaker(lane, 'human', at, message, retention)
  end
  if not message.user and call_is_open(lane) then
    local unattributed = key('unclear', lane)
    redis.call('HSET', unattributed, message.id, cjson.encode(message))
    redis.call('PEXPIRE', unattributed, OURS_BY_TEXT)
    return false
  end
  if not message.user and at < forgotten_until() and redis.call('HGET', key('standing', lane), 'human_id') ~= message.id then
    -- The state went back since: it may be a reply of the bridge, which is not a takeover.
    own(lane, message.id, 'provider', retention)
    if message.said ~= '' then remember(lane, at, message.said, retention) end
    return false
  end
  if delivered_lately(lane, message, at) then
    own(lane, message.id, 'provider', retention)
    if message.said ~= '' then remember(lane, at, message.said, retention) end
    note_delivery(lane, 'provider', message, retention)
    return false
  end
  return note_speaker(lane, 'human', at, message, retention)
end

-- No call is in progress any more: attribute the messages that were reported meanwhile.
local function clear_up(lane, retention)
  local unattributed = key('unclear', lane)
  if redis.call('EXISTS', unattributed) == 0 or call_is_open(lane) then return end
  local waiting = redis.call('HVALS', unattributed)
  redis.call('DEL', unattributed)
  for _, message in ipairs(waiting) do observe(lane, cjson.decode(message), retention) end
end

-- End a turn. If nobody will ever know what its provider delivered, a message that was reported meanwhile may be that delivery.
local function clear_up_after(lane, turn, retention)
  if redis.call('EXISTS', key('unclear', lane)) == 0 then return end
  local asked = redis.call('HGET', key('ledger', turn), 'ask')
  if asked and cjson.decode(asked).state == 'asking' then redis.call('DEL', key('unclear', lane)) end
  clear_up(lane, retention)
end
