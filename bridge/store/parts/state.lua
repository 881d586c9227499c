-- The beginning of every script: time, keys, and functions that all parts use.
--
-- Time is Redis' own, in whole milliseconds. KEYS[1] of every script is the prefix of a partition (bridge/store/redis/partitions.py),
-- and `key` builds the keys of that partition (infra/docs/reference/keys.md lists them). A script that takes several prefixes says
-- so.
-- A client that lost the answer may send a script again: each script has the same effect the second time.
--
-- Inputs of these names mean the same in every part, and are described only here: `lane` (LOCATION:CONTACT), `location`, `contact`
-- (ids), `retention` (ms until the record expires), `at` (a time, ms), `turn` (its id), `token` (of a lease), `event` (JSON, a step
-- of the timeline). A function without a result is described without "Answers".
-- Errors: no function raises one of its own. A command that Redis refuses, or a value of an unexpected type, ends the script, and
-- bridge/store/redis/lua.py names the line.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Of the partition that is worked on.
local prefix = KEYS[1]

-- The name of a key: the partition's prefix, and its parts, joined by colons.
-- Answers it.
local function key(...) return prefix .. table.concat({...}, ':') end

-- Keys that this script has found missing, by name.
local missing = {}

-- Look for keys that are rarely there, with one command; scripts write none of them before they ask whether it is there.
--   ...  their names
local function look_for(...)
  local none = redis.call('EXISTS', ...) == 0
  for _, name in ipairs({...}) do missing[name] = none or nil end
end

-- Whether a key is there.
--   name  of the key
-- Answers true or false.
local function is_there(name) return not missing[name] and redis.call('EXISTS', name) == 1 end

-- Whether to do what may be done now and then: one in sixteen times.
local now_and_then = now % 16 == 0

-- A late write about a removed location must not create the location again.
local function set_fields(location, ...)
  local record = key('location', location)
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, ...) end
end

-- Split a lane into its two ids.
-- Answers location, contact; nil if it is not a lane.
local function split(lane) return lane:match('^([^:]+):([^:]+)$') end

-- Convert a list of name, value, name, value into a table.
--   flat  the list
-- Answers the table.
local function rows(flat)
  local found = {}
  for at = 1, #flat, 2 do found[flat[at]] = flat[at + 1] end
  return found
end

-- Note which lane an id belongs to under which no record is kept; the others are found by their records (`find_lane.lua`).
--   id  of a conversation, or another one of a message; empty: nothing is noted
local function point(id, lane, retention)
  if id ~= '' then redis.call('SET', key('index', id), lane, 'PX', retention) end
end

-- Remove fields of a hash.
-- A hash that ever held a long value stays large without it, so it is rewritten, which takes a third of the memory.
-- Its expiry is lost.
--   name    of the hash
--   fields  list of those to remove
--   is      table of the hash as it is to be, these fields aside; nil: as it is
-- Answers the fields that were removed as a table.
local function forget(name, fields, is)
  local removed, gone, left = {}, {}, {}
  for _, field in ipairs(fields) do gone[field] = true end
  for field, value in pairs(is or rows(redis.call('HGETALL', name))) do
    if gone[field] then removed[field] = value else left[#left + 1], left[#left + 2] = field, value end
  end
  redis.call('DEL', name)
  if #left > 0 then redis.call('HSET', name, unpack(left)) end
  return removed
end

-- At `maxmemory`, Redis runs a script whose first write can't use more memory. Scripts that finish work begin with this write, so
-- that a full Redis becomes empty again.
local function pass_when_full() redis.call('DEL', key('full')) end
