-- Take a lane for one turn. Only a claimed lane can be taken: a wake-up that comes late or twice finds nothing to do.
-- ARGV: lane, token, lease (ms), id for the turn if a new one begins, most messages of a turn
-- Answers nil, or {now, turn, attempts, unfinished leases, saved answer, ids it answers, when it was saved, looks, {ledger...}, {id, body, ...}}.
local lane, token, lease, fresh, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local location, contact = split(lane)
local record = key('lane', lane)
pass_when_full()
if not redis.call('ZSCORE', key('inflight'), lane) then return nil end
local state = redis.call('HMGET', record, 'lease', 'lease_until', 'turn', 'attempts', 'answer', 'answered', 'looks', 'answered_at')
if state[1] and state[1] ~= token and tonumber(state[2]) > now then return nil end

local waiting = redis.call('LRANGE', key('waiting', lane), 0, most - 1)
if #waiting == 0 then
  -- Its last holder ended every message and died before the release: nothing of that turn may reach the next one.
  redis.call('DEL', record)
  redis.call('ZREM', key('inflight'), lane)
  unschedule(lane)
  return nil
end
if state[1] ~= token then redis.call('HINCRBY', record, 'unfinished', 1) end
local turn = state[3] or fresh
redis.call('HSET', record, 'lease', token, 'lease_until', now + lease, 'turn', turn)
redis.call('ZADD', key('due', location), now + lease, contact)
redis.call('ZADD', key('inflight'), now + lease, lane)

local messages = {}
for _, id in ipairs(waiting) do
  messages[#messages + 1] = id
  messages[#messages + 1] = redis.call('HGET', key('message', location, id), 'body')
end
return {
  now, turn, tonumber(state[4] or 0), tonumber(redis.call('HGET', record, 'unfinished')), state[5] or '', state[6] or '[]',
  tonumber(state[8] or 0), tonumber(state[7] or 0), redis.call('HGETALL', key('ledger', turn)), messages,
}
