-- When the server's clock has jumped back, moments that were set before lie further off than any wait lasts.
-- Needs: schedule

-- The clock may be set right by less than this, and nobody waits noticeably longer.
local NOTICED_MS = 1000

-- Bring a sorted set's moments that lie ahead nearer by that much.
--   set  the key
--   by   (ms)
local function bring_nearer(set, by)
  local ahead = redis.call('ZRANGEBYSCORE', set, string.format('(%d', now), '+inf', 'WITHSCORES')
  for at = 1, #ahead, 2 do redis.call('ZADD', set, math.max(now, ahead[at + 1] - by), ahead[at]) end
end

-- Likewise the moments in fields of a hash.
--   record  the key
--   names   of the fields
--   by      (ms)
local function bring_fields_nearer(record, names, by)
  for at, moment in ipairs(redis.call('HMGET', record, unpack(names))) do
    if moment and tonumber(moment) > now then redis.call('HSET', record, names[at], math.max(now, moment - by)) end
  end
end

-- Likewise the end of a key.
--   lock  the key
--   by    (ms)
local function bring_end_nearer(lock, by)
  local left = redis.call('PTTL', lock)
  if left > 0 then redis.call('PEXPIRE', lock, string.format('%d', math.max(1, left - by))) end
end

-- All that a location waits for: its lanes, its slots, its budget.
--   by  (ms)
local function bring_location_nearer(location, by)
  local due = key('due', location)
  for _, contact in ipairs(redis.call('ZRANGEBYSCORE', due, string.format('(%d', now), '+inf')) do
    bring_fields_nearer(key('lane', location .. ':' .. contact), {'lease_until', 'not_before'}, by)
  end
  bring_nearer(due, by)
  bring_nearer(key('inflight', location), by)
  redis.call('ZREMRANGEBYSCORE', key('budget', location), string.format('(%d', now), '+inf')
  bring_end_nearer(key('busy', location), by)
  bring_end_nearer(key('refused', location), by)
end

-- Let everybody who waits wait for as long as was meant.
--   by  how far the clock jumped back (ms)
local function clock_jumped_back(by)
  for _, waiting in ipairs({redis.call('ZRANGE', key('due'), 0, -1), redis.call('SMEMBERS', key('holds'))}) do
    for _, location in ipairs(waiting) do bring_location_nearer(location, by) end
  end
  for _, id in ipairs(redis.call('ZRANGE', key('circuits'), 0, -1)) do bring_fields_nearer(key('circuit', id), {'probe_at'}, by) end
  for _, name in ipairs({'due', 'inflight', 'workers', 'circuits', 'sweeps'}) do bring_nearer(key(name), by) end
  for _, name in ipairs({'patience', 'upkeep'}) do bring_end_nearer(key(name), by) end
end
