-- Let a location off its hold: what waits is due again, and the dead letters that caused the hold are replayed.
-- ARGV: location, event, retention (ms)
-- Answers how many dead letters were replayed, or -1 when the location was not on hold.
local location, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = key('location', location)
local since = redis.call('HGET', record, 'hold')
if not since then return -1 end
redis.call('HDEL', record, 'hold', 'hold_why')
redis.call('SREM', key('holds'), location)
-- What waited meanwhile doesn't age.
redis.call('HSET', record, 'held_from', since, 'held_until', now)
local replayed = 0
for _, side in ipairs({'ghl', 'provider'}) do
  for _, id in ipairs(redis.call('LRANGE', key('refusals', location, side), 0, -1)) do
    local letter = open_letter(id)
    if letter then
      replay(letter, event, retention)
      replayed = replayed + 1
    end
  end
  redis.call('DEL', key('refusals', location, side))
end
local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
if head then redis.call('ZADD', key('due'), math.max(tonumber(head), now), location) end
ring_if_due()
return replayed
