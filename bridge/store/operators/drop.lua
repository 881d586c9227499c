-- Close a dead letter without an answer.
--   ARGV[1]  dead letter id
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
-- Answers dropped | unknown | closed.
-- Needs: dead_letters
local id, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', key('dead', id)) == 0 then return 'unknown' end
local dead_letter = take_dead_letter(id)
if not dead_letter then return 'closed' end
count('dead_letters|dropped')
mark(dead_letter, 'skipped', 'dropped', retention, 'an operator dropped dead letter ' .. id)
tell(dead_letter.location_id .. ':' .. dead_letter.contact_id, event, retention)
return 'dropped'
