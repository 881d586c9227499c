-- Erase a contact. A turn in progress is fenced off, and waiting messages are dropped. Opt-outs and pauses stay, under a digest that
-- does not identify the contact, until the contact writes again.
--   ARGV[1]  lane
--   ARGV[2]  digest under which opt-outs and pauses are stored
--   ARGV[3]  retention (ms)
--   ARGV[4]  how long ids of messages are remembered (ms)
-- Answers {now (ms), how many records were removed, channels that stay stopped ...}.
-- Needs: standings, dedupe
local lane, digest, retention, memory = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local location, contact = split(lane)
local removed = 0
local function remove(...) removed = removed + redis.call('DEL', ...) end

local kept = key('erased', digest)
local standing = rows(redis.call('HGETALL', key('standing', lane)))
for channel, at in pairs(stops(lane)) do redis.call('HSET', kept, 'stop:' .. channel, at) end
local paused = standing.paused_at or redis.call('GET', key('paused', contact))
if paused then redis.call('HSET', kept, 'paused_at', paused) end
if standing.human_at and tonumber(standing.human_at) > tonumber(standing.resumed_at or 0) then
  redis.call('HSET', kept, 'human_at', standing.human_at)
end
if standing.handover_at and tonumber(standing.handover_at) > tonumber(standing.resumed_at or 0) then
  redis.call('HSET', kept, 'handover_at', standing.handover_at, 'handover_until', standing.handover_until)
end
redis.call('ZREM', key('handovers'), lane)
keep_forbidden(kept, location, retention)

local function forget_dead_letter(id)
  redis.call('ZREM', key('dead'), id)
  for _, side in ipairs({'ghl', 'provider'}) do redis.call('LREM', key('refusals', location, side), 0, id) end
  remove(key('dead', id), key('ledger', id), key('excerpt', id))
end

local turn = redis.call('HGET', key('lane', lane), 'turn')
if turn then forget_dead_letter(turn) end
for _, list in ipairs({'buried', 'replays'}) do
  for _, id in ipairs(redis.call('LRANGE', key(list, lane), 0, -1)) do forget_dead_letter(id) end
end
for _, list in ipairs({'waiting', 'carried'}) do
  for _, id in ipairs(redis.call('LRANGE', key(list, lane), 0, -1)) do
    uncount_arrival(key('message', location, id))
    if forget_message(location, id, memory) then removed = removed + 1 end
    remove(key('index', id))
  end
end
local KINDS = {
  'lane', 'waiting', 'carried', 'buried', 'replays', 'timeline', 'standing', 'replies', 'said', 'posted', 'unclear', 'twins',
  'delivery', 'generated', 'person',
}
for _, kind in ipairs(KINDS) do
  remove(key(kind, lane))
end
remove(key('paused', contact))
for _, member in ipairs(redis.call('ZRANGE', key('undelivered'), 0, -1)) do
  if member:sub(1, #lane + 1) == lane .. ' ' then removed = removed + redis.call('ZREM', key('undelivered'), member) end
end
removed = removed + redis.call('ZREM', key('recorded', location), contact)
for _, id in ipairs(redis.call('ZRANGE', key('circuits'), 0, -1)) do redis.call('ZREM', key('circuit', id, 'waiting'), lane) end
free_slot(lane)
unschedule(lane)
redis.call('ZREM', key('recent'), lane)
-- Older versions stored the newest events in a stream. XDEL only marks an entry and does not free its bytes, so the stream is
-- rewritten without the contact's entries; the ids stay.
local others, ttl = {}, redis.call('PTTL', key('live'))
local events = redis.call('XRANGE', key('live'), '-', '+')
for _, entry in ipairs(events) do
  if rows(entry[2]).lane ~= lane then others[#others + 1] = entry end
end
if #others < #events then
  redis.call('DEL', key('live'))
  for _, entry in ipairs(others) do redis.call('XADD', key('live'), entry[1], unpack(entry[2])) end
  redis.call('PEXPIRE', key('live'), ttl)
end
local stopped = {}
for _, field in ipairs(redis.call('HKEYS', kept)) do stopped[#stopped + 1] = field:match('^stop:(.+)$') end
return {now, removed, unpack(stopped)}
