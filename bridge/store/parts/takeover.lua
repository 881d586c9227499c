-- Takeover: decides whether an outbound message is a person's (or an automation's), and notes when that person wrote last. Whether
-- the bridge then stays silent: bridge/policy/takeover.py.
-- Needs: outbound, standings, rollback

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
    note_delivery(lane, ours:match('^%S+'), message, retention)
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
    -- The state was rolled back since: it may be a reply of the bridge, which is not a takeover.
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
  if not is_there(unattributed) or call_is_open(lane) then return end
  local waiting = redis.call('HVALS', unattributed)
  redis.call('DEL', unattributed)
  for _, message in ipairs(waiting) do observe(lane, cjson.decode(message), retention) end
end

-- End a turn. If nobody will ever know what its provider delivered, a message that was reported meanwhile may be that delivery.
local function clear_up_after(lane, turn, retention)
  if not is_there(key('unclear', lane)) then return end
  local asked = redis.call('HGET', key('ledger', turn), 'ask')
  if asked and cjson.decode(asked).state == 'asking' then redis.call('DEL', key('unclear', lane)) end
  clear_up(lane, retention)
end

-- Leave the contact to people, because the service asked for a person.
--   lasts  how long (ms); -1: until resumed
local function hand_over(lane, lasts, retention)
  local record, ends = key('standing', lane), lasts < 0 and -1 or now + lasts
  redis.call('HSET', record, 'handover_at', now, 'handover_until', ends)
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  -- The list of contacts that wait for a person, by the end of the wait; without an end they are listed for the retention time.
  local waiting = key('handovers')
  redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now)
  redis.call('ZADD', waiting, lasts < 0 and now + retention or ends, lane)
  redis.call('ZREMRANGEBYRANK', waiting, 0, -1001)
  if redis.call('PTTL', waiting) < math.max(retention, lasts) then redis.call('PEXPIRE', waiting, math.max(retention, lasts)) end
end
