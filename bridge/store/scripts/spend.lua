-- Take one request from a location's budget at GHL, if there is room for one of this urgency.
-- ARGV: location, bill (JSON, as `pay` takes it)
-- Answers 0 when it was taken, else the ms after which there is room.
-- Needs: paying, schedule
pass_when_full()
return pay(ARGV[1], cjson.decode(ARGV[2]))
