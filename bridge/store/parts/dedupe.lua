-- The same words of a contact at about the same time, once by GHL's id and once, by a workflow, without it: where GHL's list
-- can't
-- tell, they are one message. Each has one twin at most, so that the same words written twice are two messages.
-- Kinds: `told` came by its id, `copy` was answered under an id of ours, `paired` is a copy whose twin is known.

-- A workflow tells of a message within seconds, a busy one within a minute or two; its clock is ours, that of a message GHL's.
local COPY_AFTER, CLOCKS_DIFFER = 120 * 1000, 10 * 1000
-- Two copies of the same words that come closer to each other than this are one message sent twice.
local COPIES_APART = 30 * 1000
-- A copy's message may be brought by GHL's first retry, or by the sweep, ten minutes later.
local TWINS_KEPT = 20 * 60 * 1000

-- How a message stands among the twins.
--   kind   told | copy | paired
--   words  digest of what it says
--   id     of the message
-- Answers the member.
local function twin_of(kind, words, id) return kind .. ' ' .. words .. ' ' .. id end

-- Note a message that may have a twin.
--   kind   see `twin_of`
--   words  see there
--   id     see there
local function note_twin(lane, kind, words, id, at)
  local twins = key('twins', lane)
  redis.call('ZADD', twins, at, twin_of(kind, words, id))
  redis.call('ZREMRANGEBYRANK', twins, 0, -201)
  redis.call('PEXPIRE', twins, TWINS_KEPT)
end

-- Take a message off the twins.
--   kind   see `twin_of`
--   words  see there
--   id     see there
-- Answers 1, or 0 if it was not among them.
local function forget_twin(lane, kind, words, id) return redis.call('ZREM', key('twins', lane), twin_of(kind, words, id)) end

-- Find the oldest message of a kind with these words.
--   kind   see `twin_of`
--   words  see there
--   from   the earliest moment (ms)
--   to     the latest
-- Answers its id, its moment; nothing if there is none.
local function find_twin(lane, kind, words, from, to)
  local start = twin_of(kind, words, '')
  local found = redis.call('ZRANGEBYSCORE', key('twins', lane), from, to, 'WITHSCORES')
  for place = 1, #found, 2 do
    if found[place]:sub(1, #start) == start then return found[place]:sub(#start + 1), found[place + 1] end
  end
end

-- A message came by its id.
--   words  digest of what it says
--   id     of the message
--   at     when it was written (ms)
-- Answers the id of the copy that it is the twin of; nil if it is new.
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

-- A copy that GHL doesn't list came.
--   words  digest of what it says
--   id     our own for the copy
--   at     when it came (ms)
-- Answers whether its message came before.
local function match_listed(lane, words, id, at)
  for _, kind in ipairs({'copy', 'paired'}) do
    if find_twin(lane, kind, words, '(' .. at - COPIES_APART, '(' .. at + COPIES_APART) then return true end
  end
  local told = find_twin(lane, 'told', words, at - COPY_AFTER, at + CLOCKS_DIFFER)
  if told then forget_twin(lane, 'told', words, told) end
  note_twin(lane, told and 'paired' or 'copy', words, id, at)
  return told ~= nil
end
