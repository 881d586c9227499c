-- Add messages to what is on record of a conversation.
--   ARGV[1]     lane
--   ARGV[2]     token of the turn that read them; empty: none
--   ARGV[3]     retention (ms)
--   ARGV[4...]  when it was said (ms), message (JSON), when, message
-- Answers 1, or 0 when the lease was lost.
-- Needs: outbound
local lane, token, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not may_write(lane, token) then return 0 end
pass_when_full()
for at = 4, #ARGV, 2 do remember(lane, ARGV[at], ARGV[at + 1], retention) end
return 1
