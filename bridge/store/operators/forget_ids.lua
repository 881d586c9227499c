-- Delete the records under ids of an erased contact. Records from after the erasure stay.
--   ARGV[1]     lane
--   ARGV[2]     when it was erased (ms)
--   ARGV[3]     how long ids of messages are remembered (ms)
--   ARGV[4...]  id, id
-- Answers how many were deleted.
-- Needs: timeline, dedupe
local lane, since, memory = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local location, contact = split(lane)
local anew = {[contact] = redis.call('EXISTS', key('timeline', lane)) == 1}
for _, id in ipairs(redis.call('LRANGE', key('waiting', lane), 0, -1)) do
  anew[id] = true
  anew[redis.call('HGET', key('message', location, id), 'conversation') or ''] = true
end
local forgotten = 0
-- Whether an id leads to the lane.
local function leads_here(id, owner, is)
  return owner == contact or is == lane or redis.call('GET', key('index', id)) == lane
end
for at = 4, #ARGV do
  local id = ARGV[at]
  local message = key('message', location, id)
  local is = redis.call('HMGET', message, 'at', 'lane')
  local turn, owner = (redis.call('GET', key('own', location, id)) or ''):match('^(%S+) ?(.*)$')
  if leads_here(id, owner, is[2]) and not anew[id] and tonumber(is[1] or 0) <= since then
    if turn then
      redis.call('ZREM', key('dead'), turn)
      redis.call('DEL', key('ledger', turn), key('dead', turn))
    end
    uncount_arrival(message)
    forget_message(location, id, memory)
    redis.call('DEL', key('index', id), key('own', location, id), key('paused', id))
    forgotten = forgotten + 1
  end
end
return forgotten
