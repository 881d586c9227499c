-- Outbound messages that are the bridge's own: recognises them, and adds messages to the transcript. Those of others: `takeover.lua`.
-- Needs: timeline, schedule, dead_letters, delivery

-- Add messages to the transcript of a conversation. It is a sorted set, so that adding a message twice has no effect.
--   words  list of {time (ms), message (JSON, as bridge/store/lanes/transcripts.py writes it)}
local function remember_all(lane, words, retention)
  if not words[1] then return end
  local record, members = key('said', lane), {}
  for _, one in ipairs(words) do members[#members + 1], members[#members + 2] = one[1], one[2] end
  redis.call('ZADD', record, unpack(members))
  if now_and_then then redis.call('ZREMRANGEBYRANK', record, 0, -201) end
  redis.call('PEXPIRE', record, retention)
end

-- Add one message to the transcript.
--   said  message (JSON)
local function remember(lane, at, said, retention) remember_all(lane, {{at, said}}, retention) end

-- Note that a message is the bridge's own, so that no event attributes it to a person.
--   id    of the message
--   turn  that posted it; `provider`: the provider delivered it
local function own(lane, id, turn, retention)
  local location, contact = split(lane)
  redis.call('SET', key('own', location, id), turn .. ' ' .. contact, 'PX', retention)
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
