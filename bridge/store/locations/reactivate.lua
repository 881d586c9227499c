-- Let a location go on whose app was taken away. What was written to it meanwhile isn't answered.
--   ARGV[1]  location
-- Answers 1, or 0 when it was not stopped by that.
-- Needs: locations
redis.call('DEL', key('gone', ARGV[1]))
return reactivate(ARGV[1])
