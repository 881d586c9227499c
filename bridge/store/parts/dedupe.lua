-- Recognises a message that arrives twice: once with GHL's id, and once without it, from a workflow. If GHL's list can't tell, the
-- same words of a contact at about the same time are one message. A message has at most one twin, so that the same words written
-- twice are two messages.
-- Kinds: `told` arrived with its id, `copy` was answered under an id of the bridge, `paired` is a copy whose twin is known.

-- A workflow reports a message within seconds, a busy one within a minute or two. A copy has the bridge's time, a message GHL's.
local COPY_AFTER, CLOCKS_DIFFER = 120 * 1000, 10 * 1000
-- Two copies of the same words within this time are one message that was sent twice.
local COPIES_APART = 30 * 1000
-- The message of a copy may arrive ten minutes later: by GHL's first retry, or by the sweep.
local TWINS_KEPT = 20 * 60 * 1000

-- Delete the record of a message, which is the mark that it has come, and leave a mark that names no contact, so that a repeated
-- webhook is recognised.
--   id      of the message
--   memory  how long ids are remembered (ms)
-- Answers whether there was a record.
local function forget_message(location, id, memory)
  local at = redis.call('HGET', key('message', location, id), 'at')
  local left = tonumber(at or 0) + memory - now
  if left > 0 then redis.call('SET', key('seen', location, id), 'erased', 'NX', 'PX', string.format('%d', left)) end
  return redis.call('DEL', key('message', location, id)) == 1
end

-- The member of a message in the sorted set of twins.
--   kind   told | copy | paired
--   words  digest of its text
--   id     of the message
-- Answers the member.
local function twin_of(kind, words, id) return kind .. ' ' .. words .. ' ' .. id end

-- Add a message that may have a twin.
--   kind   see `twin_of`
--   words  see there
--   id     see there
local function note_twin(lane, kind, words, id, at)
  local twins = key('twins', lane)
  redis.call('ZADD', twins, at, twin_of(kind, words, id))
  if now_and_then then redis.call('ZREMRANGEBYRANK', twins, 0, -201) end
  redis.call('PEXPIRE', twins, TWINS_KEPT)
end

-- Remove a message from the twins.
--   kind   see `twin_of`
--   words  see there
--   id     see there
-- Answers 1, or 0 if it was not among them.
local function forget_twin(lane, kind, words, id) return redis.call('ZREM', key('twins', lane), twin_of(kind, words, id)) end

-- Find the oldest message of a kind with these words.
--   kind   see `twin_of`
--   words  see there
--   from   earliest time (ms)
--   to     latest time (ms)
-- Answers its id and its time (ms); nothing if there is none.
local function find_twin(lane, kind, words, from, to)
  if missing[key('twins', lane)] then return end
  local start = twin_of(kind, words, '')
  local found = redis.call('ZRANGEBYSCORE', key('twins', lane), from, to, 'WITHSCORES')
  for place = 1, #found, 2 do
    if found[place]:sub(1, #start) == start then return found[place]:sub(#start + 1), found[place + 1] end
  end
end

-- Match a message that arrived with its id to a copy.
--   words  digest of its text
--   id     of the message
--   at     when it was written (ms)
-- Answers the id of the copy; nil if the message is new.
local function match_copy(lane, words, id, at)
  local copy, came_at = find_twin(lane, 'copy', words, at - CLOCKS_DIFFER, at + COPY_AFTER)
  if not copy then
    note_twin(lane, 'told', words, id, at)
    return
  end
  forget_twin(lane, 'copy', words, copy)
  note_twin(lane, 'paired', words, copy, came_at)
  return copy
end

-- Match a copy that GHL does not list to a message.
--   words  digest of its text
--   id     the bridge's id for the copy
--   at     when it arrived (ms)
-- Answers whether the message arrived before.
local function match_listed(lane, words, id, at)
  for _, kind in ipairs({'copy', 'paired'}) do
    if find_twin(lane, kind, words, '(' .. at - COPIES_APART, '(' .. at + COPIES_APART) then return true end
  end
  local told = find_twin(lane, 'told', words, at - COPY_AFTER, at + CLOCKS_DIFFER)
  if told then forget_twin(lane, 'told', words, told) end
  note_twin(lane, told and 'paired' or 'copy', words, id, at)
  return told ~= nil
end
