-- Reactivate a location whose app was uninstalled. Messages from the time between are not answered.
--   ARGV[1]  location
-- Answers 1, or 0 if its app was not uninstalled.
-- Needs: locations
redis.call('DEL', key('gone', ARGV[1]))
return reactivate(ARGV[1])
