-- Corrects stored times after the server's clock jumped back: otherwise every wait would last longer by the size of the jump.
-- Needs: schedule

-- A smaller correction of the clock makes no wait noticeably longer.
local NOTICED_MS = 1000

-- Move the future times of a sorted set back.
--   set  the key
--   by   how far (ms)
local function bring_nearer(set, by)
  local ahead = redis.call('ZRANGEBYSCORE', set, string.format('(%d', now), '+inf', 'WITHSCORES')
  for at = 1, #ahead, 2 do redis.call('ZADD', set, math.max(now, ahead[at + 1] - by), ahead[at]) end
end

-- Move the future times in fields of a hash back.
--   record  the key
--   names   of the fields
--   by      how far (ms)
local function bring_fields_nearer(record, names, by)
  for at, moment in ipairs(redis.call('HMGET', record, unpack(names))) do
    if moment and tonumber(moment) > now then redis.call('HSET', record, names[at], math.max(now, moment - by)) end
  end
end

-- Move the expiry of a key back.
--   lock  the key
--   by    how far (ms)
local function bring_end_nearer(lock, by)
  local left = redis.call('PTTL', lock)
  if left > 0 then redis.call('PEXPIRE', lock, string.format('%d', math.max(1, left - by))) end
end

-- Move the times of a location back: those of its lanes, its slots and its rate limit.
--   by  how far (ms)
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

-- Give every wait the length that it had before the jump.
--   by  how far the clock jumped back (ms)
local function clock_jumped_back(by)
  for _, waiting in ipairs({redis.call('ZRANGE', key('due'), 0, -1), redis.call('SMEMBERS', key('holds'))}) do
    for _, location in ipairs(waiting) do bring_location_nearer(location, by) end
  end
  for _, id in ipairs(redis.call('ZRANGE', key('circuits'), 0, -1)) do bring_fields_nearer(key('circuit', id), {'probe_at'}, by) end
  for _, name in ipairs({'due', 'inflight', 'workers', 'circuits', 'sweeps'}) do bring_nearer(key(name), by) end
  for _, name in ipairs({'patience', 'upkeep'}) do bring_end_nearer(key(name), by) end
end
