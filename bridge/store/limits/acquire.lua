-- Take one request from a location's budget at GHL, if there is room for one of this urgency.
--   ARGV[1]  location
--   ARGV[2]  JSON, the bill (`Permit` of bridge/store/lanes/patch.py)
-- Answers 0 when it was taken, else the ms after which there is room.
-- Needs: rate_limit
local location, permit = ARGV[1], cjson.decode(ARGV[2])
pass_when_full()
learn_limits(location, permit)
return acquire(location, permit)
