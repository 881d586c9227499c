-- Wakes a dispatcher when a lane may be due earlier than it expects.

-- For how long a dispatcher leads without another claim: longer than its longest pause (workers/dispatcher.py).
local LEADS_MS = 8000

-- A channel is no key, and the same for all partitions.
local WAKE = 'ghlb:wake'

-- Wake the dispatcher that leads in this partition: a claim takes for all workers what is due, so that one is enough. If it is
-- gone, all are woken, and the first of them leads. The message is the number of the partition.
local function ring()
  local leader, which = redis.call('GET', key('leader')), prefix:match('%d+')
  if leader and redis.call('PUBLISH', WAKE .. ':' .. leader, which) > 0 then return end
  if leader then redis.call('DEL', key('leader')) end
  redis.call('PUBLISH', WAKE, which)
end
