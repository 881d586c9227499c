-- Undo the claim of lanes whose wake-ups could not be published: they are due again after a pause, unless leased meanwhile.
--   ARGV[1]     pause (ms)
--   ARGV[2...]  lane, lane
-- Answers 1.
-- Needs: schedule
for at = 2, #ARGV do
  local lane = ARGV[at]
  if not leased(lane) and free_slot(lane) then schedule(lane, now + tonumber(ARGV[1])) end
end
-- Free slots may be what other lanes wait for.
if ARGV[1] == '0' then ring_if_due() end
return 1
