-- Undo the claim of lanes whose wake-ups could not be published: they are due again after a pause. A lane that is leased is left
-- unchanged.
--   KEYS[1...]  prefix of each lane
--   ARGV[1]     pause (ms)
--   ARGV[2...]  lane, lane
-- Answers 1.
-- Needs: schedule
for at = 2, #ARGV do
  local lane = ARGV[at]
  prefix = KEYS[at - 1]
  if not leased(lane) and free_slot(lane) then schedule(lane, now + tonumber(ARGV[1])) end
  -- A slot that comes free wakes those who wait for a slot.
  if ARGV[1] == '0' then ring_if_due() end
end
return 1
