-- Observe outbound messages: recognise the bridge's own, and note those of a person or an automation.
--   ARGV[1]  lane
--   ARGV[2]  JSON, a list of messages: `id`, `at` (ms), `by` (person | automation | call |
--            missed_call | nobody), `user`, `digest`, `conversation_id`, `event`, `said` (the message for the transcript);
--            of its delivery: `delivery` (delivered | undelivered | opt_out | empty), `status` (as GHL calls it), `channel`
--            (empty: not known)
--   ARGV[3]  1 if they came by a marketplace event
--   ARGV[4]  retention (ms)
--   ARGV[5]  token of the turn that read them; empty: none did
-- Answers how many of them are new messages of a person or an automation; -1: this partition lacks its mark.
-- Needs: takeover, locations, rollback
local lane, heard, retention = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[4])
local location = split(lane)
if redis.call('EXISTS', key('location', location)) == 0 then return is_owned() and 0 or -1 end
if not may_write(lane, ARGV[5]) then return 0 end
pass_when_full()
-- An event may come before any worker has found out that the server is another one.
notice_server(run_of_server())
if ARGV[3] == '1' then note_event(location, true, true) end
local spoken = 0
for _, message in ipairs(heard) do
  local new = observe(lane, message, retention)
  if new then spoken = spoken + 1 end
  -- For contacts who never wrote, only needed data is stored.
  if new or redis.call('EXISTS', key('timeline', lane)) == 1 then point(message.conversation_id, lane, retention) end
end
return spoken
