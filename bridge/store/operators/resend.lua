-- Resend an undelivered reply: as a dead letter with a saved answer, which is replayed at once.
--   ARGV[1]  its entry in `undelivered`: lane, id of the reply, channel
--   ARGV[2]  dead letter (JSON), with the message that was answered
--   ARGV[3]  that message as stored
--   ARGV[4]  its line
--   ARGV[5]  1 to resend even if a newer turn was answered, else 0
--   ARGV[6]  event (JSON)
--   ARGV[7]  retention (ms)
-- Answers replayed | closed (it was resent before, or has expired) | newer (a newer turn was answered).
-- Needs: replay
local undelivered, dead_letter, force = ARGV[1], cjson.decode(ARGV[2]), ARGV[5] == '1'
local lane = dead_letter.location_id .. ':' .. dead_letter.contact_id
local message = key('message', dead_letter.location_id, dead_letter.message_ids[1])
local told_at = redis.call('ZSCORE', key('undelivered'), undelivered)
if not told_at or redis.call('EXISTS', message) == 0 then return 'closed' end
local replied_at = redis.call('HGET', key('lane', lane), 'replied_at')
if not force and tonumber(replied_at or 0) > tonumber(told_at) then return 'newer' end
redis.call('ZREM', key('undelivered'), undelivered)
redis.call('HSET', message, 'body', ARGV[3], 'line', ARGV[4])
redis.call('SET', key('dead', dead_letter.id), ARGV[2], 'PX', ARGV[7])
replay(dead_letter, ARGV[6], tonumber(ARGV[7]))
ring_if_due()
return 'replayed'
