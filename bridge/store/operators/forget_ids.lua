-- Delete the records under ids of an erased contact. Records from after the erasure stay.
--   ARGV[1]     lane
--   ARGV[2]     when it was erased (ms)
--   ARGV[3...]  id, id
-- Answers how many were deleted.
-- Needs: timeline
local lane, since = ARGV[1], tonumber(ARGV[2])
local location, contact = split(lane)
local anew = {[contact] = redis.call('EXISTS', key('timeline', lane)) == 1}
for _, id in ipairs(redis.call('LRANGE', key('waiting', lane), 0, -1)) do
  anew[id] = true
  anew[redis.call('HGET', key('message', location, id), 'conversation') or ''] = true
end
local forgotten = 0
for at = 3, #ARGV do
  local id = ARGV[at]
  local message = key('message', location, id)
  local came = tonumber(redis.call('HGET', message, 'at') or 0)
  if redis.call('GET', key('index', id)) == lane and not anew[id] and came <= since then
    local turn = redis.call('GET', key('own', location, id))
    if turn then
      redis.call('ZREM', key('dead'), turn)
      redis.call('DEL', key('ledger', turn), key('dead', turn))
    end
    uncount_arrival(message)
    redis.call('DEL', key('index', id), message, key('own', location, id), key('paused', id))
    forgotten = forgotten + 1
  end
end
return forgotten
