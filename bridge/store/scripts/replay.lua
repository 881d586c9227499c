-- Give a dead letter another chance.
-- ARGV: dead letter id, force (1 or 0), event, retention (ms)
-- Answers replayed | unknown | closed (replayed, dropped or superseded before) | newer (a newer turn was answered).
-- Needs: letters
local id, force, event, retention = ARGV[1], ARGV[2] == '1', ARGV[3], tonumber(ARGV[4])
local stored = redis.call('GET', key('dead', id))
if not stored then return 'unknown' end
local failed_at = redis.call('ZSCORE', key('dead'), id)
if not failed_at then return 'closed' end
local letter = cjson.decode(stored)
local replied_at = redis.call('HGET', key('lane', letter.location_id .. ':' .. letter.contact_id), 'replied_at')
if not force and tonumber(replied_at or 0) > tonumber(failed_at) then return 'newer' end
replay(open_letter(id), event, retention)
ring_if_due()
return 'replayed'
