-- Observe messages that left a conversation: ours are recognised, those of a person or an automation are noted.
--   ARGV[1]  lane
--   ARGV[2]  JSON, a list of messages: `id`, `at` (ms), `by` (person | automation | call |
--            missed_call | nobody), `user`, `digest`, `conversation_id`, `event`, `said`
--   ARGV[3]  1 if they came by a marketplace event
--   ARGV[4]  retention (ms)
--   ARGV[5]  token of the turn that read them; empty: none did
-- Answers how many of them are new words of somebody.
-- Needs: outbound
local lane, heard, retention = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[4])
local location = split(lane)
if redis.call('EXISTS', key('location', location)) == 0 or not may_write(lane, ARGV[5]) then return 0 end
pass_when_full()
if ARGV[3] == '1' then
  redis.call('HSET', key('location', location), 'last_event_at', now, 'marketplace_at', now, 'unheard', 0)
end
local spoken = 0
for _, message in ipairs(heard) do
  point(message.conversation_id, lane, retention)
  if observe(lane, message, retention) then spoken = spoken + 1 end
end
return spoken
