-- Take one inbound message in: known location, seen before, appended to its lane, due. One round trip, all or nothing.
-- ARGV: lane, message id, webhook id, conversation id, nonce of this call, body, event, reason (empty: to be answered),
--       how long to remember ids (ms), retention (ms)
-- Answers accepted | duplicate | unknown_location | skipped.
local lane, id, webhook, conversation, nonce, body, event, reason = unpack(ARGV, 1, 8)
local memory, retention = tonumber(ARGV[9]), tonumber(ARGV[10])
local location, contact = split(lane)
if redis.call('EXISTS', key('location', location)) == 0 then return 'unknown_location' end

local outcome = reason == '' and 'accepted' or 'skipped'
local marks = {key('seen', location, id)}
if webhook ~= '' then marks[2] = key('seen', webhook) end
for _, mark in ipairs(marks) do
  local by = redis.call('GET', mark)
  if by == nonce then return outcome end
  if by then return 'duplicate' end
end
for _, mark in ipairs(marks) do redis.call('SET', mark, nonce, 'PX', memory) end

local message = key('message', location, id)
redis.call('HSET', message, 'lane', lane, 'at', now, 'body', body, 'conversation', conversation)
redis.call('HSET', message, 'status', reason == '' and 'waiting' or 'skipped', 'reason', reason)
for _, known in ipairs({id, conversation, contact}) do point(known, lane, retention) end
tell(lane, event, retention)
redis.call('HSET', key('location', location), 'last_event_at', now)
if reason ~= '' then
  redis.call('PEXPIRE', message, retention)
  return outcome
end

redis.call('RPUSH', key('waiting', lane), id)
redis.call('PERSIST', key('lane', lane))
local state = redis.call('HMGET', key('lane', lane), 'lease_until', 'not_before')
if not (state[1] and tonumber(state[1]) > now) then
  schedule(lane, math.max(tonumber(state[2] or 0), quiet_at(lane)))
end
return outcome
