-- End a renewal that brought no tokens.
--   ARGV[1]  grant
--   ARGV[2]  nonce
--   ARGV[3]  how: unsent (nothing was used up) | lost (the refresh token may be used up) | refused
--   ARGV[4]  why
--   ARGV[5]  next try (ms from now)
-- Answers 1, or 0 when somebody else renews by now.
local name, nonce, how = ARGV[1], ARGV[2], ARGV[3]
local grant = key('grant', name)
if redis.call('HGET', grant, 'lease') ~= nonce then return 0 end
redis.call('HDEL', grant, 'lease', 'lease_until')
if how ~= 'lost' then redis.call('HDEL', grant, 'asking') end
if how == 'refused' then redis.call('HSET', grant, 'refused', ARGV[4], 'refused_at', now) end
if redis.call('HEXISTS', grant, 'version') == 1 then
  redis.call('ZADD', key('grants'), now + tonumber(ARGV[5]), name)
else
  redis.call('PEXPIRE', grant, tonumber(ARGV[5]))
end
return 1
