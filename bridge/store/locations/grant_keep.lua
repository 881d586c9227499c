-- Store a grant's new tokens. Those of an install replace any others; those of a renewal replace only the renewed version.
--   ARGV[1]  grant
--   ARGV[2]  version that was renewed; `*`: an install
--   ARGV[3]  new version
--   ARGV[4]  encrypted tokens
--   ARGV[5]  kind
--   ARGV[6]  company
--   ARGV[7]  lifetime (ms)
--   ARGV[8]  time until renewal (ms)
-- Answers 1, or 0 if there is another version now.
local name, from, version = ARGV[1], ARGV[2], ARGV[3]
local grant = key('grant', name)
local is = redis.call('HGET', grant, 'version') or ''
if is == version then return 1 end
if from ~= '*' and is ~= from then return 0 end
redis.call('DEL', grant)
redis.call('HSET', grant, 'version', version, 'kept_at', now, 'sealed', ARGV[4], 'kind', ARGV[5], 'company', ARGV[6],
  'ends_at', now + tonumber(ARGV[7]), 'renew_at', now + tonumber(ARGV[8]))
redis.call('ZADD', key('grants'), now + tonumber(ARGV[8]), name)
return 1
