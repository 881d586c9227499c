-- Add what GHL lists of a conversation to what is on record of it, and note that this was done.
-- ARGV: lane, token (of the turn that read it; empty: none), retention (ms), how many of the newest words to tell, when it was said
--       (ms), message, when, message, ...
-- Answers the newest words, each with when it was said; nothing when the lease was lost.
-- Needs: hearing
local lane, token, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not may_write(lane, token) then return {} end
redis.call('SET', key('topped', lane), 1, 'PX', retention)
for at = 5, #ARGV, 2 do remember(lane, ARGV[at], ARGV[at + 1], retention) end
return redis.call('ZRANGE', key('said', lane), -tonumber(ARGV[4]), -1, 'WITHSCORES')
