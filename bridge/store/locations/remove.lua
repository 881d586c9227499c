-- Delete a location. Waiting messages stay on the schedule, also after a hold, and end with the reason `unknown_location`.
--   ARGV[1]  location
-- Answers 1, or 0 if it was not known.
-- Needs: schedule, locations
local location = ARGV[1]
local known = redis.call('DEL', key('location', location))
redis.call('DEL', key('refusals', location, 'ghl'), key('refusals', location, 'provider'))
forget_grant('location:' .. location)
note_removed(location)
for _, all in ipairs({key('locations'), key('holds'), key('installs'), key('missed')}) do redis.call('SREM', all, location) end
redis.call('ZREM', key('sweeps'), location)
redis.call('DEL', key('sweep', location), key('recorded', location), key('stopping', location), key('report', location))
local head = redis.call('ZRANGE', key('due', location), 0, 0, 'WITHSCORES')[2]
if head then redis.call('ZADD', key('due'), math.max(tonumber(head), now), location) end
ring_if_due()
return known
