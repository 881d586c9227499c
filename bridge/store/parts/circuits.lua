-- Which completion services are down, and whether GHL is.
-- Needs: schedule

-- Whether a provider may be called. While its circuit is open, one turn at a time may probe it.
--   id       of the circuit
--   longest  time limit of the call (ms)
--   at_once  whether this turn may probe before the next probe is due
-- Answers closed | open | probe.
local function admit(id, token, longest, at_once)
  if missing[key('circuit', id)] then return 'closed' end
  local is = redis.call('HMGET', key('circuit', id), 'since', 'probe_at', 'prober')
  if not is[1] then return 'closed' end
  if tonumber(is[2]) > now and is[3] ~= token and not at_once then return 'open' end
  -- If the turn that probes dies, another may probe after the time limit.
  redis.call('HSET', key('circuit', id), 'prober', token, 'probe_at', now + longest)
  redis.call('ZADD', key('circuits'), now + longest, id)
  return 'probe'
end

-- Whether these circuits let a turn begin. A turn that probes the first circuit still has to pass the others.
--   ids      of the circuits
--   longest  time limit of a probe (ms)
-- Answers {the open circuit or '', 1 if a success must be reported because something failed lately}.
local function admit_turn(ids, token, longest)
  local probing, doubted = false, false
  for _, id in ipairs(ids) do
    local is = admit(id, token, longest, probing)
    if is == 'open' then return {id, 1} end
    probing = probing or is == 'probe'
    doubted = doubted or probing or is_there(key('circuit', id, 'faults'))
  end
  return {'', doubted and 1 or 0}
end

-- The keys of circuits, of which most have none.
--   ids  of the circuits
-- Answers their names.
local function names_of_circuits(ids)
  local names = {}
  for _, id in ipairs(ids) do
    names[#names + 1], names[#names + 2] = key('circuit', id), key('circuit', id, 'faults')
  end
  return names
end

-- Let another turn probe, after a probe that ended without a result.
local function free_probes(token)
  local open = key('circuits', 'open')
  for _, id in ipairs(missing[open] and {} or redis.call('SMEMBERS', open)) do
    if redis.call('HGET', key('circuit', id), 'prober') == token then
      redis.call('HDEL', key('circuit', id), 'prober')
      redis.call('HSET', key('circuit', id), 'probe_at', now)
      redis.call('ZADD', key('circuits'), now, id)
      ring()
    end
  end
end

-- Open a circuit: its provider has failed often enough. `limits/circuit_fault.lua` counts the failures.
--   id      of the circuit
--   name    of the provider
--   every   time between probes (ms)
--   expiry  of the open circuit's record (ms)
local function open_circuit(id, name, location, every, expiry)
  local record = key('circuit', id)
  redis.call('HSET', record, 'since', now, 'probe_at', now + every, 'every', every, 'name', name, 'location', location)
  redis.call('PEXPIRE', record, expiry)
  redis.call('DEL', key('circuit', id, 'faults'))
  redis.call('ZADD', key('circuits'), now + every, id)
  redis.call('SADD', key('circuits', 'open'), id)
end

-- Close a circuit: its provider has answered. The next claim wakes the lanes that waited for it.
--   id  of the circuit
local function close_circuit(id)
  local record, faults = key('circuit', id), key('circuit', id, 'faults')
  if not is_there(record) and not is_there(faults) then return end
  redis.call('DEL', faults)
  if redis.call('HEXISTS', record, 'since') == 0 then return end
  redis.call('HDEL', record, 'since', 'probe_at', 'prober')
  redis.call('HSET', record, 'closed_at', now)
  redis.call('SREM', key('circuits', 'open'), id)
  redis.call('ZADD', key('circuits'), now, id)
  ring()
end
