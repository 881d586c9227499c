-- Close a dead letter for good: nobody is going to answer it.
--   ARGV[1]  dead letter id
--   ARGV[2]  event (JSON)
--   ARGV[3]  retention (ms)
-- Answers dropped | unknown | closed.
-- Needs: dead_letters
local id, event, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', key('dead', id)) == 0 then return 'unknown' end
local letter = open_letter(id)
if not letter then return 'closed' end
count('dead_letters|dropped')
mark(letter, 'skipped', 'dropped', retention, 'an operator dropped dead letter ' .. id)
tell(letter.location_id .. ':' .. letter.contact_id, event, retention)
return 'dropped'
