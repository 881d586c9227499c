-- Write down a step of a turn, if the lane is still held.
-- ARGV: lane, token, patch (JSON; `done` lists ids that leave the lane), retention (ms)
-- Answers 1, or 0 when the lease was lost.
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
if not holds(lane, token) then return 0 end
apply(lane, patch, retention)
return 1
