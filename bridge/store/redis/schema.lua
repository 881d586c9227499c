-- Which form the state has. A state of no or an older form is this version's from now on.
--   KEYS[1]  key of the form, which bears no partition's tag
--   ARGV[1]  the form that this version knows
-- Answers the form that was found, 0 if none was.
local found, known = tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(ARGV[1])
if found < known then redis.call('SET', KEYS[1], known) end
return found
