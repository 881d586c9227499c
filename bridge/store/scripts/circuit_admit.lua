-- May a provider be asked? While its circuit is open, one turn at a time may try whether it answers again.
-- ARGV: circuit, token of the turn, how long a try may take at most (ms)
-- Answers closed | open | probe.
-- Needs: schedule
local id, token, longest = ARGV[1], ARGV[2], tonumber(ARGV[3])
local is = redis.call('HMGET', key('circuit', id), 'since', 'probe_at', 'prober')
if not is[1] then return 'closed' end
if tonumber(is[2]) > now and is[3] ~= token then return 'open' end
pass_when_full()
-- A prober that dies is replaced when its time is over.
redis.call('HSET', key('circuit', id), 'prober', token, 'probe_at', now + longest)
redis.call('ZADD', key('circuits'), now + longest, id)
return 'probe'
