-- End a renewal without new tokens.
--   ARGV[1]  grant
--   ARGV[2]  nonce
--   ARGV[3]  how: unsent (the refresh token was not used) | lost (it may have been used) | refused
--   ARGV[4]  why
--   ARGV[5]  next attempt (ms from now)
-- Answers 1, or 0 if another process renews it now.
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
