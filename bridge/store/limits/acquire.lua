-- Take one request from a location's budget at GHL, if there is room for one of this urgency.
--   ARGV[1]  location
--   ARGV[2]  JSON, the bill (`Bill` of bridge/store/lanes/patch.py)
-- Answers 0 when it was taken, else the ms after which there is room.
-- Needs: permits
local location, bill = ARGV[1], cjson.decode(ARGV[2])
pass_when_full()
heed(location, bill)
return pay(location, bill)
