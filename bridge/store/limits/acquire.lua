-- Take one request from a location's rate limit at GHL, if a request of this urgency is still allowed.
--   ARGV[1]  location
--   ARGV[2]  JSON, the permit (`Permit` of bridge/store/lanes/patch.py)
-- Answers 0 if it was taken, else the wait until one is allowed (ms).
-- Needs: permits
local location, permit = ARGV[1], cjson.decode(ARGV[2])
pass_when_full()
learn_limits(location, permit)
return acquire(location, permit)
