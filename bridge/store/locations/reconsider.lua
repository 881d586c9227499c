-- Compute again when lanes of a location are due, if they wait because of its settings: debounce or business hours. One call covers
-- a few lanes; the caller continues from the cursor until it is 0 again.
--   ARGV[1]  location
--   ARGV[2]  cursor; 0 at first
--   ARGV[3]  about how many lanes
-- Answers {cursor, number of lanes that were computed again}.
-- Needs: schedule
local location = ARGV[1]
local found = redis.call('ZSCAN', key('due', location), ARGV[2], 'COUNT', ARGV[3])
local anew = 0
for at = 1, #found[2], 2 do
  local lane = location .. ':' .. found[2][at]
  local slot = redis.call('ZSCORE', key('inflight'), lane)
  if leased(lane) or (slot and tonumber(slot) > now) then
    -- Its worker may have read the older settings: `release` checks this field.
    redis.call('HSET', key('lane', lane), 'reconsider', 1)
  elseif waits_by_settings(lane) then
    redis.call('HDEL', key('lane', lane), 'not_before')
    reschedule(lane)
    anew = anew + 1
  end
end
return {found[1], anew}
