-- Sweep every location of the partition at once.
-- Answers how many there are.
local locations = redis.call('ZRANGE', key('sweeps'), 0, -1)
for _, location in ipairs(locations) do redis.call('ZADD', key('sweeps'), 'LT', now, location) end
return #locations
