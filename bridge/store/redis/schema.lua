-- The schema version of the state. A state without one, or with an older one, has this version's from now on.
--   ARGV[1]  the schema version that this process knows
-- Answers the version that was found, 0 without one.
local found, known = tonumber(redis.call('GET', key('schema')) or 0), tonumber(ARGV[1])
if found < known then redis.call('SET', key('schema'), known) end
return found
