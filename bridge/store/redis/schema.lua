-- Which form the state has. A state of no or an older form is this version's from now on.
--   ARGV[1]  the form that this version knows
-- Answers the form that was found, 0 if none was.
local found, known = tonumber(redis.call('GET', key('schema')) or 0), tonumber(ARGV[1])
if found < known then redis.call('SET', key('schema'), known) end
return found
