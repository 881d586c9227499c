-- End a location's hold: waiting messages are due again, and the dead letters that caused the hold are replayed.
--   ARGV[1]  location
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
-- Answers how many dead letters are replayed, or -1 if the location was not on hold.
-- Needs: replay
return lift_hold(ARGV[1], ARGV[2], tonumber(ARGV[3]))
