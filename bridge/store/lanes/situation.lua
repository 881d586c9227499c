-- Read the situation of a contact and its location.
--   ARGV[1]     lane
--   ARGV[2]     conversation id
--   ARGV[3]     retention (ms)
--   ARGV[4...]  names of fields of the location
-- Answers the list of `parts/situations.lua`.
-- Needs: situations
return situation(ARGV[1], ARGV[2], {unpack(ARGV, 4)}, tonumber(ARGV[3]))
