-- The schema version of the state. If it has none, or an older one, it gets this program's.
--   ARGV[1]  schema version of this program
-- Answers the schema version that was found, 0 if there was none.
local found, known = tonumber(redis.call('GET', key('schema')) or 0), tonumber(ARGV[1])
if found < known then redis.call('SET', key('schema'), known) end
return found
