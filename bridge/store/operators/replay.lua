-- Replay a dead letter: checks whether it may be replayed; parts/replay.lua does it.
--   ARGV[1]  dead letter id
--   ARGV[2]  1 to replay even if a newer turn was answered, else 0
--   ARGV[3]  event (JSON)
--   ARGV[4]  retention (ms)
-- Answers replayed | unknown | closed (replayed, dropped or superseded before) | newer (a newer turn was answered).
-- Needs: replay
local id, force, event, retention = ARGV[1], ARGV[2] == '1', ARGV[3], tonumber(ARGV[4])
local stored = redis.call('GET', key('dead', id))
if not stored then return 'unknown' end
local failed_at = redis.call('ZSCORE', key('dead'), id)
if not failed_at then return 'closed' end
local dead_letter = cjson.decode(stored)
local replied_at = redis.call('HGET', key('lane', dead_letter.location_id .. ':' .. dead_letter.contact_id), 'replied_at')
if not force and tonumber(replied_at or 0) > tonumber(failed_at) then return 'newer' end
replay(take_dead_letter(id), event, retention)
ring_if_due()
return 'replayed'
