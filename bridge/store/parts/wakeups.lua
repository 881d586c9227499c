-- Wakes a dispatcher when a lane may be due earlier than it expects.

-- For how long a dispatcher leads without another claim: longer than its longest pause (workers/dispatcher.py).
local LEADS_MS = 8000

-- Wake the dispatcher that leads: a claim takes for all workers what is due, so that one is enough. If it is gone, all are
-- woken, and the first of them leads. Older versions hear only what all are told.
--   at  when a lane is due (ms)
local function ring(at)
  local leader = redis.call('GET', key('leader'))
  if leader and redis.call('PUBLISH', key('wake', leader), at) > 0 then return end
  if leader then redis.call('DEL', key('leader')) end
  redis.call('PUBLISH', key('wake'), at)
end
