-- Replays of dead letters: of one, and of all those of a location when its hold ends.
-- Needs: dead_letters

-- Put the turn of a dead letter first in its lane again, with its saved answer and its ledger.
--   dead_letter  as `take_dead_letter` answers it
local function replay(dead_letter, event, retention)
  local lane = dead_letter.location_id .. ':' .. dead_letter.contact_id
  count('dead_letters|replayed')
  redis.call('RPUSH', key('replays', lane), dead_letter.id)
  mark(dead_letter, 'waiting', '', retention)
  for _, id in ipairs(dead_letter.message_ids) do redis.call('PERSIST', key('message', dead_letter.location_id, id)) end
  for _, kept in ipairs({key('dead', dead_letter.id), key('ledger', dead_letter.id), key('lane', lane)}) do redis.call('PERSIST', kept) end
  tell(lane, event, retention)
  if not leased(lane) then reschedule(lane) end
end

-- Replay the dead letters of a location's refused logins.
--   side   ghl or provider: where they were refused
--   event  for each replayed dead letter (JSON)
-- Answers how many are replayed.
local function replay_refused(location, side, event, retention)
  local replayed = 0
  for _, id in ipairs(redis.call('LRANGE', key('refusals', location, side), 0, -1)) do
    local dead_letter = take_dead_letter(id)
    if dead_letter then
      replay(dead_letter, event, retention)
      replayed = replayed + 1
    end
  end
  redis.call('DEL', key('refusals', location, side))
  return replayed
end

-- End a location's hold.
--   event  for each replayed dead letter (JSON)
-- Answers how many dead letters are replayed; -1 if the location was not on hold.
local function lift_hold(location, event, retention)
  local record = key('location', location)
  local since = redis.call('HGET', record, 'hold')
  if not since then return -1 end
  redis.call('HDEL', record, 'hold', 'hold_why')
  redis.call('SREM', key('holds'), location)
  -- The time on hold does not count towards the age of messages.
  redis.call('HSET', record, 'held_from', since, 'held_until', now)
  local replayed = replay_refused(location, 'ghl', event, retention) + replay_refused(location, 'provider', event, retention)
  local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
  if head then redis.call('ZADD', key('due'), math.max(tonumber(head), opens_at(location)), location) end
  ring_if_due()
  return replayed
end
