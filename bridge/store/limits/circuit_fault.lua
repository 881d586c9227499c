-- Count a failed call of a provider. A number of consecutive failures in a number of lanes opens its circuit
-- (store/limits/circuits.py has the numbers): if only one conversation fails, the provider may work for the others.
--   ARGV[1]   circuit
--   ARGV[2]   lane
--   ARGV[3]   token of the turn
--   ARGV[4]   when the provider was called (ms)
--   ARGV[5]   name of the provider
--   ARGV[6]   failures that open a circuit
--   ARGV[7]   lanes in which they must have occurred
--   ARGV[8]   time between probes (ms)
--   ARGV[9]   longest time between consecutive failures (ms)
--   ARGV[10]  expiry of an open circuit's record (ms)
-- Answers 1 if the circuit is open now, else 0.
-- Needs: circuits
local id, lane, token, asked_at, name = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local most_faults, most_lanes, every = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local record, faults = key('circuit', id), key('circuit', id, 'faults')
local is = redis.call('HMGET', record, 'since', 'prober', 'closed_at')
pass_when_full()

if is[1] then
  if is[2] == token then
    redis.call('HDEL', record, 'prober')
    redis.call('HSET', record, 'probe_at', now + every)
    redis.call('ZADD', key('circuits'), now + every, id)
  end
  redis.call('PEXPIRE', record, tonumber(ARGV[10]))
  return 1
end
-- The call began before the provider recovered, so it says nothing about now.
if is[3] and asked_at < tonumber(is[3]) then return 0 end

redis.call('HSET', faults, token, lane)
redis.call('PEXPIRE', faults, tonumber(ARGV[9]))
local lanes, distinct = {}, 0
for _, each in ipairs(redis.call('HVALS', faults)) do
  if not lanes[each] then lanes[each], distinct = true, distinct + 1 end
end
local many = redis.call('HLEN', faults)
if many < most_faults or distinct < most_lanes then
  if many > 10 * most_faults then redis.call('DEL', faults) end
  return 0
end
open_circuit(id, name, (split(lane)), every, tonumber(ARGV[10]))
return 1
