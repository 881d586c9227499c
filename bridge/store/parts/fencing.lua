-- Fencing: a lane is held by the token of its newest lease, and only its holder may write.

-- A lease is fresh while this share of its time is left.
local FRESH = 0.9

-- Whether somebody works on a lane.
-- Answers true, or nil or false.
local function leased(lane)
  local lease_until = redis.call('HGET', key('lane', lane), 'lease_until')
  return lease_until and tonumber(lease_until) > now
end

-- How much time the lane's newest lease has left.
-- Answers it (ms; negative: it has lapsed), or nil if the token is not that of the newest lease.
local function rest_of_lease(lane, token)
  local is = redis.call('HMGET', key('lane', lane), 'lease', 'lease_until')
  if is[1] ~= token then return nil end
  return tonumber(is[2]) - now
end

-- Whether a token is that of the newest lease of a lane whose record was read before.
--   record  fields of the lane, by name
-- Answers true or false.
local function is_holder(record, token) return record.lease == token end

-- Whether a token is that of the lane's newest lease.
-- Answers true or false.
local function holds(lane, token) return is_holder({lease = redis.call('HGET', key('lane', lane), 'lease')}, token) end

-- Whether the caller may write: a turn must hold the lane, other callers always may.
--   token  of the turn; nil or empty: the caller is not a turn
-- Answers true or false.
local function may_write(lane, token) return not token or token == '' or holds(lane, token) end
