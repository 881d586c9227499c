-- What a worker writes while it holds a lane.
-- Needs: timeline, outbound, standings

-- In one call: the append-only file holds each with its key.
--   name    of a hash
--   fields  table of its fields and their values; an empty one writes nothing
local function put(name, fields)
  local flat = {}
  for field, value in pairs(fields) do
    flat[#flat + 1], flat[#flat + 2] = field, value
  end
  if flat[1] then redis.call('HSET', name, unpack(flat)) end
end

-- List a lane for an operator to look at, for a day; the newest thousand are kept.
--   list  a key
local function list_lane(list, lane)
  redis.call('ZADD', list, now, lane)
  redis.call('ZREMRANGEBYRANK', list, 0, -1001)
  redis.call('PEXPIRE', list, 24 * 3600 * 1000)
end

-- What a worker writes while it holds a lane: message fields, lane fields, the ledger of sends, our own message ids, what a
-- service said, events.
--   patch  see bridge/store/lanes/patch.py, as `cjson` has decoded it
local function apply(lane, patch, retention)
  local location = split(lane)
  for id, fields in pairs(patch.messages or {}) do
    put(key('message', location, id), fields)
    if fields.reason == 'reply_cap' then list_lane(key('capped'), lane) end
    if fields.reason == 'unknown_type' then list_lane(key('untyped'), lane) end
    if fields.reason == 'other_bot' then list_lane(key('other_bot'), lane) end
  end
  put(key('lane', lane), patch.lane or {})
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
  if patch.stop then
    say_stop(lane, patch.stop[1], patch.stop[2], retention)
    if patch.spoken and stops(lane)[patch.stop[1]] then list_lane(key('spoken_stops'), lane) end
  end
  -- Once on hold, the dead letters that caused it are kept: its end replays them.
  if redis.call('HEXISTS', key('location', location), 'hold') == 0 then
    for _, side in ipairs(patch.welcomed or {}) do redis.call('DEL', key('refusals', location, side)) end
  end
  -- Answers in a row without a claim of delivery tell that this location's provider leaves the delivery to us.
  if patch.claimed == false then
    set_fields(location, 'unclaimed', tonumber(redis.call('HGET', key('location', location), 'unclaimed') or 0) + 1)
  end
  if patch.claimed == true then set_fields(location, 'unclaimed', 0) end
  -- ... and so do claims in a row that turned out true that it delivers by itself.
  if patch.seen == true then set_fields(location, 'seen', tonumber(redis.call('HGET', key('location', location), 'seen') or 0) + 1) end
  if patch.seen == false or patch.claimed == false then set_fields(location, 'seen', 0) end
  if patch.excerpt then
    local excerpt = key('excerpt', patch.excerpt.id)
    redis.call('HSET', excerpt, 'lane', lane, 'at', now, 'provider', patch.excerpt.provider, 'sealed', patch.excerpt.sealed)
    redis.call('PEXPIRE', excerpt, retention)
  end
  if patch.sent and not heard_before then
    tell(lane, patch.sent, retention)
    count_taken(location, patch.taken, retention)
  end
  if patch.delivery then note_delivery(lane, patch.turn, patch.delivery, retention) end
  for _, event in ipairs(patch.events or {}) do tell(lane, event, retention) end
end
