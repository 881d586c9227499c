-- Dead letters, and what brings them back.
-- Needs: timeline, budget, schedule

-- Take a dead letter off the list of open ones.
--   id  of the dead letter
-- Answers the dead letter as a table; false when it was closed before.
local function open_letter(id)
  local stored = redis.call('GET', key('dead', id))
  if not stored or redis.call('ZREM', key('dead'), id) == 0 then return false end
  local letter = cjson.decode(stored)
  redis.call('LREM', key('buried', letter.location_id .. ':' .. letter.contact_id), 0, id)
  return letter
end

-- Write what became of a dead letter's messages.
--   letter  as `open_letter` answers it
--   status  of the messages from now on
--   reason  likewise; empty: none
--   facts   what the reason rests on; nil: nothing
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

-- The line (channel and conversation provider) of a message that GHL hasn't told the id of yet, as in `model/ids.py`.
local UNKNOWN_LINE = '?'

-- The texts of young dead letters that came by the same line are answered together with a message that comes now.
--   line  of the message (channel and conversation provider)
--   by    its id
local function carry(lane, line, by, retention)
  local letters = redis.call('LRANGE', key('buried', lane), 0, -1)
  if not letters[1] then return end
  local location = split(lane)
  local max_age = tonumber(redis.call('HGET', key('location', location), 'max_age_ms') or 0)
  local function fits(buried)
    local stored = redis.call('GET', key('dead', buried))
    local first = stored and cjson.decode(stored).message_ids[1]
    local its = first and redis.call('HGET', key('message', location, first), 'line')
    return its == line or its == UNKNOWN_LINE
  end
  for _, buried in ipairs(letters) do
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
--   letter  as `open_letter` answers it
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

-- Let a location off its hold.
--   event  for each dead letter that comes back (JSON)
-- Answers how many dead letters came back by it; -1 if it was not on hold.
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
