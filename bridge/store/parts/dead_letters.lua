-- Dead letters: closing one, and adding its texts to a newer message. Their replay is parts/replay.lua.
-- Needs: timeline, budget, schedule

-- Remove a dead letter from the open ones.
--   id  of the dead letter
-- Answers the dead letter as a table; false if it was already closed.
local function take_dead_letter(id)
  local stored = redis.call('GET', key('dead', id))
  if not stored or redis.call('ZREM', key('dead'), id) == 0 then return false end
  local dead_letter = cjson.decode(stored)
  redis.call('LREM', key('buried', dead_letter.location_id .. ':' .. dead_letter.contact_id), 0, id)
  return dead_letter
end

-- Record a new outcome of a dead letter's messages.
--   dead_letter  as `take_dead_letter` answers it
--   status  the new status of the messages
--   reason  the new reason; empty: none
--   facts   the facts behind the reason; nil: none
local function mark(dead_letter, status, reason, retention, facts)
  for _, id in ipairs(dead_letter.message_ids) do
    local message = key('message', dead_letter.location_id, id)
    if redis.call('EXISTS', message) == 1 then
      uncount_outcome(message)
      redis.call('HSET', message, 'status', status, 'reason', reason, 'error', '', 'facts', facts or '')
      redis.call('PEXPIRE', message, retention)
      if status ~= 'waiting' then count_outcome(dead_letter.location_id, message, retention) end
    end
  end
end

-- The line (channel and conversation provider) of a message whose GHL id is not known yet, as in `model/ids.py`.
local UNKNOWN_LINE = '?'

-- Whether the contact may have got a part of a turn's answer, from the bridge or from a provider that delivers: then an answer to the
-- same texts would be the second one. The location's own texts have names instead of numbers.
--   turn  its id
-- Answers true or false.
local function may_be_answered(turn)
  local ledger = rows(redis.call('HGETALL', key('ledger', turn)))
  for part, entry in pairs(ledger) do
    if (part == 'ask' or tonumber(part)) and cjson.decode(entry).state ~= 'not_sent' then return true end
  end
  return false
end

-- Add the texts of recent dead letters of the same line to a newer message, so that they are answered together.
--   line  of the message (channel and conversation provider)
--   by    its id
local function carry_over(lane, line, by, retention)
  local dead_letters = redis.call('LRANGE', key('buried', lane), 0, -1)
  if not dead_letters[1] then return end
  local location = split(lane)
  local max_age = tonumber(redis.call('HGET', key('location', location), 'max_age_ms') or 0)
  local function fits(dead_id)
    local stored = redis.call('GET', key('dead', dead_id))
    local first = stored and cjson.decode(stored).message_ids[1]
    local its = first and redis.call('HGET', key('message', location, first), 'line')
    return (its == line or its == UNKNOWN_LINE) and not may_be_answered(dead_id)
  end
  for _, dead_id in ipairs(dead_letters) do
    local failed_at = redis.call('ZSCORE', key('dead'), dead_id)
    local young = failed_at and now - tonumber(failed_at) < max_age
    local dead_letter = young and fits(dead_id) and take_dead_letter(dead_id)
    if not young then redis.call('LREM', key('buried', lane), 0, dead_id) end
    if dead_letter then
      count('dead_letters|superseded')
      mark(dead_letter, 'skipped', 'superseded', retention, 'asked about together with the newer message ' .. by)
      redis.call('RPUSH', key('carried', lane), unpack(dead_letter.message_ids))
      tell(lane, cjson.encode({step = 'superseded', dead_letter_id = dead_id, message_ids = dead_letter.message_ids, by = by}), retention)
    end
  end
  redis.call('LTRIM', key('carried', lane), -200, -1)
end
