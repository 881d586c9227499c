-- Put claimed lanes back that could not be published, due again after a pause; one that got leased all the same is left alone.
--   ARGV[1]     pause (ms)
--   ARGV[2...]  lane, lane
-- Answers 1.
-- Needs: schedule
for at = 2, #ARGV do
  local lane = ARGV[at]
  if not leased(lane) and free_slot(lane) then schedule(lane, now + tonumber(ARGV[1])) end
end
-- What comes free is told of to those who wait for a slot.
if ARGV[1] == '0' then ring_if_due() end
return 1
