-- Begin the renewal of a grant. Only one process at a time renews it.
--   ARGV[1]  grant
--   ARGV[2]  version to be replaced; empty: none yet
--   ARGV[3]  nonce
--   ARGV[4]  lease (ms)
--   ARGV[5]  for how long a refusal counts (ms)
-- Answers {yours, 1 if an earlier renewal ended without a result} | {renewed} (there is another version) | {busy} | {refused, why}.
local grant, seen, nonce = key('grant', ARGV[1]), ARGV[2], ARGV[3]
local lease, grace = tonumber(ARGV[4]), tonumber(ARGV[5])
local is = redis.call('HMGET', grant, 'version', 'lease', 'lease_until', 'asking', 'refused', 'refused_at')
if (is[1] or '') ~= seen then return {'renewed'} end
if is[5] and now - tonumber(is[6]) < grace then return {'refused', is[5]} end
if is[2] and is[2] ~= nonce and tonumber(is[3]) > now then return {'busy'} end
pass_when_full()
-- An earlier process that stored neither tokens nor a failure may have used the refresh token.
if is[4] and is[4] ~= nonce then redis.call('HSET', grant, 'lost', 1) end
redis.call('HSET', grant, 'lease', nonce, 'lease_until', now + lease, 'asking', nonce)
if not is[1] then redis.call('PEXPIRE', grant, lease) end
return {'yours', redis.call('HEXISTS', grant, 'lost')}
