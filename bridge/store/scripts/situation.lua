-- Tell how things stand with a contact and its location.
-- ARGV: lane, conversation id, retention (ms), fields of the location ...
-- Answers what `parts/situations.lua` says.
-- Needs: situations
return situation(ARGV[1], ARGV[2], {unpack(ARGV, 4)}, tonumber(ARGV[3]))
