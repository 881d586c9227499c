-- Stands before every script: time, keys, and what all parts use.
--
-- Time is Redis' own, in whole milliseconds. Keys are built by `key` (infra/docs/reference/keys.md lists them), so KEYS is empty
-- in
-- every script.
-- A script may be sent again by a client that lost the answer: each does the same the second time.
--
-- Inputs of these names are the same in every part, and are told nowhere else: `lane` (LOCATION:CONTACT), `location`, `contact`
-- (ids),
-- `retention` (ms until what is written expires), `at` (a moment, ms), `turn` (its id), `token` (of a lease), `event` (JSON, a
-- step of
-- the timeline). A function that answers nothing is told without "Answers".
-- Errors: no function raises one of its own. A command that Redis refuses, or a value of another type than expected, ends the
-- script,
-- and bridge/store/redis/lua.py names the line.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The name of a key: `ghlb:` and its parts, joined by colons.
-- Answers it.
local function key(...) return 'ghlb:' .. table.concat({...}, ':') end

-- What is learnt of a location that was removed meanwhile must not make it a location again.
local function set_fields(location, ...)
  local record = key('location', location)
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, ...) end
end

-- The two ids that a lane is made of.
-- Answers location, contact; nil if it is no lane.
local function split(lane) return lane:match('^([^:]+):([^:]+)$') end

-- A list of name, value, name, value as a table.
--   flat  the list
-- Answers the table.
local function rows(flat)
  local found = {}
  for at = 1, #flat, 2 do found[flat[at]] = flat[at + 1] end
  return found
end

-- Note which lane an id belongs to.
--   id  of a message, a contact or a conversation; empty: nothing is noted
local function point(id, lane, retention)
  if id ~= '' then redis.call('SET', key('index', id), lane, 'PX', retention) end
end

-- Remove fields of a hash.
-- One that ever held a long value stays large, even without it: written anew it takes a third of the memory.
-- Whatever it had of an expiry is gone.
--   name    of the hash
--   fields  list of those that go
--   is      table of the hash as it is to be, these fields aside; nil: as it is
local function forget(name, fields, is)
  local gone, left = {}, {}
  for _, field in ipairs(fields) do gone[field] = true end
  for field, value in pairs(is or rows(redis.call('HGETALL', name))) do
    if not gone[field] then left[#left + 1], left[#left + 2] = field, value end
  end
  redis.call('DEL', name)
  if #left > 0 then redis.call('HSET', name, unpack(left)) end
end

-- Redis lets a script pass at `maxmemory` whose first write can't grow memory. Those that carry work on begin with this one, so
-- that a full Redis drains.
local function pass_when_full() redis.call('DEL', key('full')) end
