-- Store a contact's data from an event. A late event does not overwrite newer data.
--   ARGV[1]  lane
--   ARGV[2]  the event's own time (ms; 0: it has none)
--   ARGV[3]  JSON, the data: `tags` and `dnd`, each as JSON text
--   ARGV[4]  retention (ms)
-- Answers 1, or 0 if the location is not known.
-- Needs: standings, locations
local lane, at, told, retention = ARGV[1], tonumber(ARGV[2]), cjson.decode(ARGV[3]), tonumber(ARGV[4])
local location = split(lane)
if redis.call('EXISTS', key('location', location)) == 0 then return 0 end
note_event(location, true, false)
local record = key('standing', lane)
at = (at > 0) and math.min(at, now) or now
for name, value in pairs(told) do
  local known = redis.call('HMGET', record, name, name .. '_at')
  if at >= tonumber(known[2] or 0) then
    redis.call('HSET', record, name, value, name .. '_at', at, name .. '_heard', now)
    if value ~= known[1] then redis.call('HINCRBY', record, 'revision', 1) end
  end
end
keep_standing(lane, retention)
return 1
