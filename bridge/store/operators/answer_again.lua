-- Answer ended messages because an operator asks for it: as a turn of their own, which runs like a replay.
--   ARGV[1]  lane
--   ARGV[2]  id of the turn
--   ARGV[3]  JSON, the request (below)
--   ARGV[4]  retention (ms)
--
-- The request: `messages` (id, body and line of each), `status` that they must have, `reply` (an id that must be among their
-- replies; empty: none), `record` (the turn, JSON, as `lease.lua` reads a dead letter), `event` (JSON).
--
-- Answers queued | unknown (the record of a message has expired) | closed (a message has another status or other replies now).
-- Needs: timeline, schedule
local lane, turn, retention = ARGV[1], ARGV[2], tonumber(ARGV[4])
local asked = cjson.decode(ARGV[3])
local location = split(lane)

local function objection(id)
  local is = redis.call('HMGET', key('message', location, id), 'status', 'replies')
  if not is[1] then return 'unknown' end
  if is[1] ~= asked.status then return 'closed' end
  if asked.reply == '' then return end
  for _, one in ipairs(cjson.decode(is[2] or '[]')) do
    if one == asked.reply then return end
  end
  return 'closed'
end
-- The same call was made before.
if redis.call('EXISTS', key('dead', turn)) == 1 then return 'queued' end
for _, one in ipairs(asked.messages) do
  local why = objection(one.id)
  if why then return why end
end

for _, one in ipairs(asked.messages) do
  local message = key('message', location, one.id)
  uncount_outcome(message)
  redis.call('HSET', message, 'status', 'waiting', 'reason', '', 'facts', '', 'error', '', 'body', one.body, 'line', one.line)
  redis.call('PERSIST', message)
end
redis.call('SET', key('dead', turn), asked.record)
redis.call('RPUSH', key('replays', lane), turn)
redis.call('PERSIST', key('lane', lane))
tell(lane, asked.event, retention)
if not leased(lane) then reschedule(lane) end
ring_if_due()
return 'queued'
