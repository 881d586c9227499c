-- Take one inbound message in: known location, seen before, appended to its lane, due. One round trip, all or nothing.
-- ARGV: lane, nonce of this call, what came (JSON: `id`, `webhook_id`, `conversation_id`, `event`, `reason` (empty: to be answered),
--       `line` (channel and conversation provider)), body, how long to remember ids (ms), retention (ms),
--       most messages that may wait in a lane
-- Answers accepted | duplicate | unknown_location | skipped | overflow.
local lane, nonce, came, body = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4]
local memory, retention, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local id, reason = came.id, came.reason
local location, contact = split(lane)
if redis.call('EXISTS', key('location', location)) == 0 then return 'unknown_location' end

if reason == '' and redis.call('LLEN', key('waiting', lane)) >= most then reason = 'overflow' end
local outcome = reason == '' and 'accepted' or (reason == 'overflow' and 'overflow' or 'skipped')
local marks = {key('seen', location, id)}
if came.webhook_id ~= '' then marks[2] = key('seen', came.webhook_id) end
for _, mark in ipairs(marks) do
  local by = redis.call('GET', mark)
  -- The same call again is told what the first one did.
  if by and by:sub(1, #nonce + 1) == nonce .. ':' then return by:sub(#nonce + 2) end
  if by then return 'duplicate' end
end
for _, mark in ipairs(marks) do redis.call('SET', mark, nonce .. ':' .. outcome, 'PX', memory) end

local message = key('message', location, id)
redis.call('HSET', message, 'lane', lane, 'at', now, 'conversation', came.conversation_id)
if reason == '' then redis.call('HSET', message, 'body', body, 'line', came.line) end
redis.call('HSET', message, 'status', reason == '' and 'waiting' or 'skipped', 'reason', reason)
for _, known in ipairs({id, came.conversation_id, contact}) do point(known, lane, retention) end
tell(lane, came.event, retention)
if reason == 'overflow' then
  tell(lane, cjson.encode({step = 'skipped', message_ids = {id}, reason = reason, facts = most .. ' messages wait already'}), retention)
end
redis.call('HSET', key('location', location), 'last_event_at', now)
if reason ~= '' then
  redis.call('PEXPIRE', message, retention)
  count_outcome(location, message, retention)
  return outcome
end

-- What a message without its id came by is known later, and so is whether it came before.
if came.line ~= UNKNOWN_LINE then carry(lane, came.line, id, retention) end

count('messages_accepted')
chart('accepted')
redis.call('RPUSH', key('waiting', lane), id)
redis.call('PERSIST', key('lane', lane))
redis.call('PERSIST', key('carried', lane))
if not leased(lane) then reschedule(lane) end
return outcome
