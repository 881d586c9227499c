-- Stops, pauses and takeovers: whether a contact may be written to.
-- Needs: timeline, schedule

-- The version of a contact's standing, which grows with each change.
-- Answers it; 0 if nothing is known.
local function revision(lane)
  local record = key('standing', lane)
  return missing[record] and 0 or tonumber(redis.call('HGET', record, 'revision') or 0)
end

-- The channels that a contact has stopped, and since when.
-- Answers a table of channel and time (ms, as text).
local function stops(lane)
  local fields, found = rows(redis.call('HGETALL', key('standing', lane))), {}
  for name, at in pairs(fields) do
    local channel = name:match('^stop:(.+)$')
    if channel and tonumber(at) >= tonumber(fields['start:' .. channel] or 0) then found[channel] = at end
  end
  return found
end

-- Stops, pauses and takeovers without an end stay until they are lifted; the rest of a standing expires.
local function keep_standing(lane, retention)
  local record = key('standing', lane)
  local settings = redis.call('HMGET', key('location', (split(lane))), 'takeover_ms', 'by_workflow')
  local spoken = redis.call('HMGET', record, 'human_at', 'automation_at', 'resumed_at', 'handover_at', 'handover_until')
  local takeover, newest = tonumber(settings[1] or 0), tonumber(spoken[1] or 0)
  if settings[2] == '1' then newest = math.max(newest, tonumber(spoken[2] or 0)) end
  local resumed, handed_over = tonumber(spoken[3] or 0), tonumber(spoken[4] or 0)
  local endless = takeover < 0 and newest > resumed or spoken[5] == '-1' and handed_over > resumed
  if endless or redis.call('HEXISTS', record, 'paused_at') == 1 or next(stops(lane)) then
    redis.call('PERSIST', record)
  else
    redis.call('PEXPIRE', record, math.max(retention, takeover, tonumber(spoken[5] or 0) - now))
  end
end

-- The pause that an operator set before the contact was known.
--   id  of the contact or the conversation that the operator named
local function adopt_pause(lane, id, retention)
  local since = id ~= '' and redis.call('GET', key('paused', id))
  if not since then return end
  redis.call('DEL', key('paused', id))
  redis.call('HSET', key('standing', lane), 'paused_at', since)
  redis.call('HINCRBY', key('standing', lane), 'revision', 1)
  keep_standing(lane, retention)
end

-- Set the expiry of an erased contact's standing. It stays too; a takeover that ends by itself expires, if there is nothing else.
--   kept  the key of that standing
local function keep_forbidden(kept, location, retention)
  local fields = redis.call('HKEYS', kept)
  local takeover = tonumber(redis.call('HGET', key('location', location), 'takeover_ms') or 0)
  local ends, lasting = tonumber(redis.call('HGET', kept, 'handover_until') or 0), {human_at = takeover < 0, handover_until = false}
  lasting.handover_at = ends < 0
  local endless = false
  for _, field in ipairs(fields) do endless = endless or lasting[field] ~= false end
  if endless then
    redis.call('PERSIST', kept)
    return
  end
  -- The longer of the two decides, but a takeover that lasts longer than the retention does not extend it.
  local longest = math.max(redis.call('HEXISTS', kept, 'human_at') == 1 and takeover or 0, ends - now)
  redis.call('PEXPIRE', kept, math.max(1, math.min(longest, retention)))
end

-- Restore the standing of an erased contact that writes again: its opt-outs still apply.
--   digests  list of digests under which it may be stored; nil: none
local function restore(lane, digests, retention)
  for _, digest in ipairs(digests or {}) do
    local kept = key('erased', digest)
    local fields = missing[kept] and {} or redis.call('HGETALL', kept)
    for at = 1, #fields, 2 do redis.call('HSETNX', key('standing', lane), fields[at], fields[at + 1]) end
    if #fields > 0 then
      redis.call('DEL', kept)
      redis.call('HINCRBY', key('standing', lane), 'revision', 1)
      keep_standing(lane, retention)
      tell(lane, cjson.encode({step = 'restored', what = 'what was forbidden before the contact was erased'}), retention)
    end
  end
end

-- Stop a channel. The lane becomes due now, so that waiting messages are skipped at once.
--   channel  to stop
local function say_stop(lane, channel, at, retention)
  local record = key('standing', lane)
  if at > tonumber(redis.call('HGET', record, 'stop:' .. channel) or 0) then redis.call('HSET', record, 'stop:' .. channel, at) end
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  if not stops(lane)[channel] then return end
  if redis.call('HDEL', key('lane', lane), 'not_before') == 1 and not leased(lane) then reschedule(lane) end
end

-- Allow a channel again. This is noted even if nothing is stopped, because an older stop may arrive later.
--   channel  to allow
local function say_start(lane, channel, at, retention)
  local record = key('standing', lane)
  if at > tonumber(redis.call('HGET', record, 'start:' .. channel) or 0) then redis.call('HSET', record, 'start:' .. channel, at) end
  redis.call('HINCRBY', record, 'revision', 1)
  keep_standing(lane, retention)
  if not next(stops(lane)) then redis.call('ZREM', key('spoken_stops'), lane) end
end
