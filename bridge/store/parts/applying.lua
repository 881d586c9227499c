-- Writes what a worker records while it holds a lane.
-- Needs: timeline, outbound, standings

-- Set several fields in one call, because the append-only file repeats the key for each call.
--   name    of a hash
--   fields  table of its fields and their values; an empty one writes nothing
local function put(name, fields)
  local flat = {}
  for field, value in pairs(fields) do
    flat[#flat + 1], flat[#flat + 2] = field, value
  end
  if flat[1] then redis.call('HSET', name, unpack(flat)) end
end

-- Put a lane on a list for operators, for a day. The list keeps the newest thousand.
--   list  a key
local function list_lane(list, lane)
  redis.call('ZADD', list, now, lane)
  redis.call('ZREMRANGEBYRANK', list, 0, -1001)
  redis.call('PEXPIRE', list, 24 * 3600 * 1000)
end

-- End a message. Only the text of a dead letter may be needed again; other records are rewritten without it, as `forget` does.
--   id      of the message
--   fields  table of the changed fields of its record
local function end_message(location, id, fields, retention)
  local message = key('message', location, id)
  local is = rows(redis.call('HGETALL', message))
  for field, value in pairs(fields) do is[field] = value ~= '' and value ~= '[]' and value or nil end
  count_ended(location, is, retention)
  -- When a message comes, that is published.
  if is.came and is.lane and tonumber(is.at) > now - LATELY_MS then told_lately[is.lane] = true end
  is.came = nil
  if is.status ~= 'dead' then
    is.body, is.line = nil, nil
    redis.call('DEL', message)
  end
  put(message, is)
  redis.call('PEXPIRE', message, retention)
end

-- A longer series of claims gives no further evidence.
local MOST_CLAIMS, CLAIM_FIELDS = 20, {'unclaimed', 'seen', 'activated_at'}
-- These fields of a location, if the script has read them: a list by location.
local known_claims = {}

-- Count consecutive claims of delivery. Answers without a claim are evidence that this location's provider leaves the delivery to
-- the bridge; claims that proved true are evidence that it delivers by itself.
--   patch  see `apply`
local function count_claims(location, patch)
  if patch.claimed == nil and patch.seen == nil then return end
  local before = known_claims[location] or redis.call('HMGET', key('location', location), unpack(CLAIM_FIELDS))
  local unclaimed, seen = tonumber(before[1] or 0), tonumber(before[2] or 0)
  if patch.claimed == false then unclaimed = math.min(unclaimed + 1, MOST_CLAIMS) end
  if patch.claimed == true then unclaimed = 0 end
  if patch.seen == true then seen = math.min(seen + 1, MOST_CLAIMS) end
  if patch.seen == false or patch.claimed == false then seen = 0 end
  if unclaimed ~= tonumber(before[1] or 0) or seen ~= tonumber(before[2] or 0) then
    if before[3] then redis.call('HSET', key('location', location), 'unclaimed', unclaimed, 'seen', seen) end
  end
end

-- Ledgers that this script has read, by turn: tables of part and entry (JSON).
local ledgers = {}

-- Write entries of a turn's ledger. Its end decides about its expiry.
--   entries  table of part (or `ask`) and entry (JSON)
-- Answers whether one of them was recorded as sent before, and is recorded as sent again.
local function write_ledger(turn, entries)
  local ledger, heard_before = key('ledger', turn), false
  for part, entry in pairs(entries) do
    if cjson.decode(entry).state == 'sent' then
      ledgers[turn] = ledgers[turn] or rows(redis.call('HGETALL', ledger))
      local before = ledgers[turn][part]
      heard_before = heard_before or before and cjson.decode(before).state == 'sent'
      ledgers[turn][part] = entry
    end
  end
  put(ledger, entries)
  return heard_before
end

-- For how long the ledger of a turn that ended is needed: for a day its texts are recognised by it. Drafts, which an operator may
-- send, and the ids of a message with several are read from it later.
-- Answers it (ms).
local function ledger_kept(turn, retention)
  for _, stored in pairs(ledgers[turn] or rows(redis.call('HGETALL', key('ledger', turn)))) do
    local entry = cjson.decode(stored)
    if entry.draft or #entry.message_ids > 1 then return retention end
  end
  return math.min(retention, OURS_BY_TEXT)
end

-- Whether a step ends a call to the outside: then messages that GHL reported meanwhile can be assigned.
--   patch  see `apply`
-- Answers true or false.
local function ends_call(patch)
  for _, entry in pairs(patch.ledger or {}) do
    local state = cjson.decode(entry).state
    if state ~= 'sending' and state ~= 'asking' then return true end
  end
  return false
end

-- What a worker writes while it holds a lane: message fields, lane fields, the ledger of sends, our own message ids, what a
-- service said, events.
--   patch  see bridge/store/lanes/patch.py, as `cjson` has decoded it
local function apply(lane, patch, retention)
  local location, is = split(lane), whole[lane]
  local ended = {}
  for _, id in ipairs(patch.done or {}) do ended[id] = true end
  for id, fields in pairs(patch.messages or {}) do
    if not ended[id] then put(key('message', location, id), fields) end
    if fields.reason == 'reply_cap' then list_lane(key('capped'), lane) end
    if fields.reason == 'unknown_type' then list_lane(key('untyped'), lane) end
    if fields.reason == 'other_bot' then list_lane(key('other_bot'), lane) end
  end
  put(key('lane', lane), patch.lane or {})
  for _, id in ipairs(patch.done or {}) do
    redis.call('LREM', key('waiting', lane), 1, id)
    end_message(location, id, patch.messages and patch.messages[id] or {}, retention)
  end
  -- Nothing of a finished turn is kept.
  local replaying = patch.done and not is and redis.call('HGET', key('lane', lane), 'replaying')
  if replaying then
    local left = {}
    for _, id in ipairs(cjson.decode(replaying)) do
      if not ended[id] then left[#left + 1] = id end
    end
    redis.call('HSET', key('lane', lane), 'replaying', cjson.encode(left))
  end
  -- GHL's event arrived before the answer to the post: the timeline already says that it was sent.
  local heard_before = write_ledger(patch.turn, patch.ledger or {})
  for part, one in pairs(patch.posting or {}) do
    local posted = key('posted', lane)
    if now_and_then and redis.call('HLEN', posted) > 200 then redis.call('DEL', posted) end
    redis.call('HSET', posted, one[1], patch.turn .. ' ' .. part .. ' ' .. string.format('%d', one[2] or now))
    redis.call('PEXPIRE', posted, OURS_BY_TEXT)
  end
  for _, id in ipairs(patch.own or {}) do own(lane, id, patch.turn, retention) end
  remember_all(lane, patch.said or {}, retention)
  if patch.stop then
    say_stop(lane, patch.stop[1], patch.stop[2], retention)
    report(location, 'o', now)
    if patch.spoken and stops(lane)[patch.stop[1]] then list_lane(key('spoken_stops'), lane) end
  end
  -- Once on hold, the dead letters that caused it are kept: its end replays them.
  for _, side in ipairs(patch.welcomed or {}) do
    local refusals = key('refusals', location, side)
    local is_over = is_there(refusals) and redis.call('HEXISTS', key('location', location), 'hold') == 0
    if is_over then redis.call('DEL', refusals) end
  end
  count_claims(location, patch)
  if patch.excerpt then
    local excerpt = key('excerpt', patch.excerpt.id)
    redis.call('HSET', excerpt, 'lane', lane, 'at', now, 'provider', patch.excerpt.provider, 'sealed', patch.excerpt.sealed)
    redis.call('PEXPIRE', excerpt, retention)
  end
  local events = {}
  if patch.sent and not heard_before then
    events[1] = patch.sent
    count_taken(location, patch.taken, retention)
  end
  if patch.delivery then
    tell_all(lane, events, retention)
    note_delivery(lane, patch.turn, patch.delivery, retention)
    events = {}
  end
  for _, event in ipairs(patch.events or {}) do events[#events + 1] = event end
  tell_all(lane, events, retention)
end
