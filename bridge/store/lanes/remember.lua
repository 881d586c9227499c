-- Add messages to the transcript of a conversation.
--   ARGV[1]     lane
--   ARGV[2]     token of the turn that read them; empty: the caller is not a turn
--   ARGV[3]     retention (ms)
--   ARGV[4...]  time (ms), message (JSON), time, message
-- Answers 1, or 0 if the lease was lost.
-- Needs: outbound
local lane, token, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not may_write(lane, token) then return 0 end
pass_when_full()
for at = 4, #ARGV, 2 do remember(lane, ARGV[at], ARGV[at + 1], retention) end
return 1
