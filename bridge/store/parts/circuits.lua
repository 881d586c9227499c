-- Which completion services are down.
-- Needs: schedule

-- May a provider be asked? While its circuit is open, one turn at a time may try whether it answers again.
--   id       of the circuit
--   longest  for how long the provider may take (ms)
-- Answers closed | open | probe.
local function admit(id, token, longest)
  local is = redis.call('HMGET', key('circuit', id), 'since', 'probe_at', 'prober')
  if not is[1] then return 'closed' end
  if tonumber(is[2]) > now and is[3] ~= token then return 'open' end
  -- A prober that dies is replaced when its time is over.
  redis.call('HSET', key('circuit', id), 'prober', token, 'probe_at', now + longest)
  redis.call('ZADD', key('circuits'), now + longest, id)
  return 'probe'
end

-- A provider has answered. What waited for it is woken by the next claim.
--   id  of the circuit
local function close_circuit(id)
  local record = key('circuit', id)
  redis.call('DEL', key('circuit', id, 'faults'))
  if redis.call('HEXISTS', record, 'since') == 0 then return end
  redis.call('HDEL', record, 'since', 'probe_at', 'prober')
  redis.call('HSET', record, 'closed_at', now)
  redis.call('SREM', key('circuits', 'open'), id)
  redis.call('ZADD', key('circuits'), now, id)
  ring(now)
end
