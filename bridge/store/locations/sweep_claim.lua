-- Take the location whose sweep is due longest. It is due again after a lease and never removed, because the worker may die.
--   ARGV[1]  lease (ms)
--   ARGV[2]  location; empty: any that is due
-- Answers {ms until one is due; -1: never}, or {now, location, since, cursor, begun, lost}: where the last complete sweep ended,
-- where an unfinished one continues, and when the state lost writes (0: it is not known to have lost any).
local lease, asked = tonumber(ARGV[1]), ARGV[2]
local location = asked ~= '' and asked or redis.call('ZRANGEBYSCORE', key('sweeps'), '-inf', now, 'LIMIT', 0, 1)[1]
if not location then
  local following = redis.call('ZRANGE', key('sweeps'), 0, 0, 'WITHSCORES')[2]
  return {following and tonumber(following) - now or -1}
end
if asked == '' then redis.call('ZADD', key('sweeps'), now + lease, location) end
local progress = redis.call('HMGET', key('sweep', location), 'since', 'cursor', 'begun')
local rollback = redis.call('HMGET', key('rollback'), 'at', 'certain_at')
local lost = rollback[2] and tonumber(rollback[1]) or 0
return {now, location, tonumber(progress[1] or 0), tonumber(progress[2] or 0), tonumber(progress[3] or 0), lost}
