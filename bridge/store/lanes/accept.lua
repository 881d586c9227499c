-- Accept inbound messages. For each one: check that the location is known and the message is new, append it to its lane, make the
-- lane due.
-- For each message:
--   KEYS[1]  prefix of its partition
--   ARGV[1]  lane
--   ARGV[2]  nonce of this call
--   ARGV[3]  JSON, the message's data (below)
--   ARGV[4]  body (the message as JSON; empty: it is not answered)
--   ARGV[5]  how long to remember ids (ms)
--   ARGV[6]  retention (ms)
--   ARGV[7]  most messages that may wait in a lane
--
-- The data: `id`, `webhook_id`, `conversation_id`, `event` (JSON), `reason` (why it is not answered; empty: it is), `line` (channel
-- and conversation provider), `channels` (its possible channels), `forms` (spellings of the whole message, to compare with the stop
-- words), `start` (whether it is the word that lifts a stop), `words` (a digest of its text; empty or absent without GHL's id),
-- `at` (its own time, ms), `marketplace` (whether it came by an event of GHL's marketplace), `found` (whether the sweep found it),
-- `erased` (digests under which the contact may have been erased).
--
-- Answers a list with, for each: accepted | duplicate | no_location | unknown_location | skipped | overflow | stop_word | unconfigured.
-- Needs: dead_letters, standings, dedupe, each, locations
-- Times stay text, because Redis would format a number again wherever it is passed on.
local function is_stop(location, channel, forms)
  for _, form in ipairs(forms) do
    if redis.call('SISMEMBER', key('stopping', location), channel .. '|' .. form) == 1 then return true end
  end
  return false
end

local function accept(lane, nonce, told, body, memory, retention, most)
  local came = cjson.decode(told)
  local id, reason = came.id, came.reason
  local location, contact = split(lane)
  local its = redis.call(
    'HMGET', key('location', location), 'last_event_at', 'marketplace_at', 'unheard', 'hold', 'debounce_ms', 'debounce_max_ms'
  )
  -- Every location with settings has the times that follow from them.
  local configured = its[5]
  if not configured and redis.call('EXISTS', key('location', location)) == 0 then
    return is_owned() and 'unknown_location' or 'no_location'
  end

  local message, marks = key('message', location, id), {key('seen', location, id)}
  if came.webhook_id ~= '' then marks[2] = key('seen', came.webhook_id) end
  local waiting_now = key('waiting', lane)
  local rare = {waiting_now, key('twins', lane), key('busy', location), key('paused', contact), key('paused', came.conversation_id)}
  for _, erased in ipairs(came.erased or {}) do rare[#rare + 1] = key('erased', erased) end
  look_for(message, marks[1], marks[2] or marks[1], unpack(rare))

  local stopped = {}
  for _, channel in ipairs(reason == '' and came.channels or {}) do
    if is_stop(location, channel, came.forms) then stopped[#stopped + 1] = channel end
  end
  local why = {overflow = most .. ' messages wait already', unconfigured = 'the app is installed, but no settings were applied yet'}
  if reason == '' and not configured then
    reason = 'unconfigured'
  elseif stopped[1] then
    reason = 'stop_word'
  elseif reason == '' and not missing[waiting_now] and redis.call('LLEN', waiting_now) >= tonumber(most) then
    reason = 'overflow'
  end
  if not missing[message] and redis.call('EXISTS', message, unpack(marks)) > 0 then
    -- A repeated call gets the answer of the first one.
    local known = redis.call('MGET', unpack(marks))
    local by = redis.call('HGET', message, 'came') or known[1] or known[2] or ''
    return by:sub(1, #nonce + 1) == nonce .. ':' and by:sub(#nonce + 2) or 'duplicate'
  end
  -- A message from a clock that is far ahead must not hide newer ones.
  local written_at = (came.at or 0) > 0 and math.min(came.at, now + 3600000) or now
  local copy = reason == '' and (came.words or '') ~= '' and match_copy(lane, came.words, id, written_at)
  if copy then
    reason = 'duplicate'
    why[reason] = 'a workflow brought the same words without their id: ' .. copy
  end
  local outcome = reason == '' and 'accepted' or (reason == came.reason and 'skipped' or reason)
  -- The record of the message is its mark, if it is kept for long enough.
  local accepted_by = nonce .. ':' .. outcome
  if tonumber(retention) < tonumber(memory) then redis.call('SET', marks[1], accepted_by, 'PX', memory) end
  if marks[2] then redis.call('SET', marks[2], accepted_by, 'PX', memory) end

  -- The time of the contact's newest known message: the sweep looks for newer ones, and lists of conversations use this order.
  local listed = math.max(tonumber(memory), tonumber(retention))
  local recorded = key('recorded', location)
  redis.call('ZADD', recorded, 'GT', written_at, contact)
  redis.call('ZREMRANGEBYSCORE', recorded, '-inf', now - listed)
  redis.call('PEXPIRE', recorded, listed)
  if not missing[message] then look_for(unpack(rare, 3)) end
  restore(lane, came.erased, retention)

  local record = {'lane', lane, 'at', now, 'conversation', came.conversation_id, 'came', accepted_by}
  if reason == '' then
    redis.call('HSET', message, 'status', 'waiting', 'body', body, 'line', came.line, unpack(record))
  else
    redis.call('HSET', message, 'status', 'skipped', 'reason', reason, unpack(record))
  end
  count_arrival(location)
  point(came.conversation_id, lane, retention)
  for _, known in ipairs({contact, came.conversation_id}) do
    if not missing[key('paused', known)] then adopt_pause(lane, known, retention) end
  end
  tell(lane, came.event, retention)
  if why[reason] then
    redis.call('HSET', message, 'facts', why[reason])
    tell(lane, cjson.encode({step = 'skipped', message_ids = {id}, reason = reason, facts = why[reason]}), retention)
  end
  if not came.found then note_event(location, came.marketplace, false, its) end

  -- An opt-out or opt-in counts from now on, also for messages that wait, are being answered or are retried.
  local said_at = (came.at or 0) > 0 and math.min(came.at, now) or now
  if reason == 'stop_word' then
    for _, channel in ipairs(stopped) do say_stop(lane, channel, said_at, retention) end
    report(location, 'o', now)
    local channels = table.concat(stopped, ', ')
    local facts = 'the whole message is one of stop_words; ' .. channels .. ' stopped until the contact writes START'
    tell(lane, cjson.encode({step = 'skipped', message_ids = {id}, reason = reason, facts = facts}), retention)
    redis.call('HSET', message, 'facts', facts)
  elseif came.start then
    for _, channel in ipairs(came.channels) do say_start(lane, channel, said_at, retention) end
  end
  if reason ~= '' then
    redis.call('PEXPIRE', message, retention)
    count_outcome(location, message, retention, came.line or '')
    return outcome
  end

  local is = redis.call('HMGET', key('lane', lane), 'lease_until', 'not_before', 'replaying', 'until_newer', 'turn', 'released', 'ended')
  -- Nothing that ended stands in a lane that has no record of it.
  local had_turn = is[5] or is[6] or is[7]
  -- What a message without its id came by is known later, and so is whether it came before.
  if had_turn and came.line ~= UNKNOWN_LINE then carry_over(lane, came.line, id, retention) end

  count('messages_accepted')
  local waiting = redis.call('RPUSH', waiting_now, id)
  if had_turn then
    redis.call('PERSIST', key('lane', lane))
    redis.call('PERSIST', key('carried', lane))
  end
  if is[4] then redis.call('HDEL', key('lane', lane), 'until_newer', 'not_before') end
  if is[1] and tonumber(is[1]) > now then return outcome end
  if waiting == 1 and not (is[3] or is[4]) and (not had_turn or redis.call('EXISTS', key('replays', lane)) == 0) then
    -- Alone, it came just now.
    local quiet = math.min(tonumber(its[5] or 0), tonumber(its[6] or 0))
    schedule(lane, math.max(tonumber(is[2] or 0), now + quiet), its[4] ~= false)
  else
    reschedule(lane)
  end
  return outcome
end

counted = {}
local answers = each('accept', 7, accept)
leave_counts()
return answers
