-- Add what a process has counted, and what scripts have left to be folded.
--   KEYS[1]     prefix of home
--   KEYS[2...]  prefixes of the partitions whose counts are folded too; in a cluster that of home
--   ARGV[1]     nonce of this call
--   ARGV[2...]  field, increment, field, increment
-- Answers 1, or 0 if this call was counted before.
-- Needs: timeline
if not redis.call('SET', key('tallied', ARGV[1]), 1, 'NX', 'PX', 60000) then return 0 end
-- Each process calls this once a second. A reader of the counts folds them first (bridge/store/figures/counts.py).
local FOLDED_MS = 5000
if redis.call('SET', key('folding'), 1, 'NX', 'PX', FOLDED_MS) then fold_all(2) end
-- Which signatures GHL's events have (bridge/store/figures/signatures.py): RSA alone restarts the count of days.
local SIGNATURES_KEPT = 30 * 24 * 3600 * 1000
local function note_signature(kind)
  local seen = key('signatures')
  if kind == 'ed25519' then
    redis.call('HSETNX', seen, 'ed25519_since', now)
    redis.call('HSET', seen, 'ed25519_at', now)
  else
    redis.call('HDEL', seen, 'ed25519_since', 'ed25519_at')
    redis.call('HSET', seen, 'rsa_at', now)
  end
  redis.call('PEXPIRE', seen, SIGNATURES_KEPT)
end

for at = 2, #ARGV, 2 do
  count(ARGV[at], ARGV[at + 1])
  -- A refused event (rsa_refused) does not restart the count.
  local kind = ARGV[at]:match('^signatures|(%w+)$')
  if kind then note_signature(kind) end
  -- The newest refused webhook: if an operator's webhooks never arrive, this shows that some were refused, and when.
  local code = ARGV[at]:match('^webhooks|([a-z_]+)|')
  if code == 'unauthorized' or code == 'too_large' then
    redis.call('HSET', key('refused'), 'at', now, 'code', code)
    redis.call('PEXPIRE', key('refused'), 30 * 24 * 3600 * 1000)
  end
  if code == 'unauthorized' then
    local turned_away = key('turned_away', math.floor(now / 60000))
    redis.call('INCRBY', turned_away, ARGV[at + 1])
    redis.call('PEXPIRE', turned_away, 15 * 60 * 1000)
  end
end
return 1
