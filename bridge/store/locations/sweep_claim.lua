-- Claim the location whose sweep has been due longest. It is due again after a lease and is never removed, because the worker may
-- die.
--   KEYS[1...]  prefix of each partition to check
--   ARGV[1]     lease (ms)
--   ARGV[2]     location; empty: any that is due
-- Answers {ms until one is due; -1: never}, or {now, location, since, cursor, begun, lost}: where the last complete sweep ended,
-- where an unfinished one continues, and when the state lost writes (0: it is not known to have lost any).
local lease, location = tonumber(ARGV[1]), ARGV[2]
if location == '' then
  local first, its
  for _, one in ipairs(KEYS) do
    prefix = one
    local head = redis.call('ZRANGE', key('sweeps'), 0, 0, 'WITHSCORES')
    if head[1] and (not first or tonumber(head[2]) < first) then location, first, its = head[1], tonumber(head[2]), one end
  end
  if not first or first > now then return {first and first - now or -1} end
  prefix = its
  redis.call('ZADD', key('sweeps'), now + lease, location)
end
local progress = redis.call('HMGET', key('sweep', location), 'since', 'cursor', 'begun')
local rollback = redis.call('HMGET', key('rollback'), 'at', 'certain_at')
local lost = rollback[2] and tonumber(rollback[1]) or 0
return {now, location, tonumber(progress[1] or 0), tonumber(progress[2] or 0), tonumber(progress[3] or 0), lost}
