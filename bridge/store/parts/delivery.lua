-- Whether the bridge's messages were delivered after GHL had accepted them.
-- Needs: timeline, standings

-- The order of delivery states: a message never goes back to a lower one (bridge/policy/delivery.py).
local DELIVERY_RANK = {delivered = 1, undelivered = 2, opt_out = 3}
local MOST_DELIVERIES = 100
local TAKEN_SPAN, TAKEN_KEPT = 10 * 60 * 1000, 80 * 60 * 1000

-- Count a delivery state of a message: for all locations together, and for its own.
--   channel  of the message
--   what     accepted | delivered | undelivered
local function count_delivery(location, channel, what, retention)
  count('deliveries|' .. channel .. '|' .. what)
  local tally, name = tally_of(key('tally', location), retention), 'deliveries|' .. channel .. '|' .. what
  tally.add[name] = (tally.add[name] or 0) + 1
  if not counted then write_tallies() end
end

-- Count a message that GHL accepted. An alert compares the accepted ones of an hour with the undelivered ones.
--   channel  of the message; nil or empty: an internal comment, which is not delivered
local function count_taken(location, channel, retention)
  if (channel or '') == '' then return end
  count_delivery(location, channel, 'accepted', retention)
  local taken = key('taken', location, string.format('%d', math.floor(now / TAKEN_SPAN)))
  if redis.call('INCR', taken) == 1 then redis.call('PEXPIRE', taken, TAKEN_KEPT) end
end

-- All ids of one of the bridge's messages: GHL gives an e-mail several.
--   id  one of them
-- Answers a list of them.
local function ids_of(turn, id)
  for _, stored in ipairs(redis.call('HVALS', key('ledger', turn))) do
    local ids = cjson.decode(stored).message_ids
    for _, one in ipairs(ids) do
      if one == id then return ids end
    end
  end
  return {id}
end

-- Record what GHL reports about one of the bridge's messages, in any order and however often. A carrier's opt-out stops the channel.
--   message  see `observe.lua`: `id`, `delivery`, `status`, `channel`
local function note_delivery(lane, turn, message, retention)
  local rank = DELIVERY_RANK[message.delivery]
  if not rank then return end
  local location = split(lane)
  local deliveries = key('delivery', lane)
  local before = DELIVERY_RANK[redis.call('HGET', deliveries, message.id) or ''] or 0
  if rank <= before then return end
  local ids = ids_of(turn, message.id)
  -- A small hash takes little memory. A dropped entry counts as accepted by GHL, which it was.
  if redis.call('HLEN', deliveries) > MOST_DELIVERIES then redis.call('DEL', deliveries) end
  for _, id in ipairs(ids) do redis.call('HSET', deliveries, id, message.delivery) end
  redis.call('PEXPIRE', deliveries, retention)
  local what = message.delivery == 'delivered' and 'delivered' or 'undelivered'
  local first = before < DELIVERY_RANK.undelivered
  if first and message.channel ~= '' then count_delivery(location, message.channel, what, retention) end
  if what == 'delivered' then return end
  local event = {step = what, reply_ids = ids, status = message.status, channel = message.channel}
  if message.delivery == 'opt_out' and message.channel ~= '' then
    say_stop(lane, message.channel, now, retention)
    event.stopped = message.channel
    report(location, 'o', now)
  end
  tell(lane, cjson.encode(event), retention)
  if not first then return end
  report(location, 'u', now)
  redis.call('ZADD', key('undelivered'), now, table.concat({lane, message.id, message.channel}, ' '))
  redis.call('ZREMRANGEBYRANK', key('undelivered'), 0, -1001)
  redis.call('PEXPIRE', key('undelivered'), retention)
end
