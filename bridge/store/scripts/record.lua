-- Write down a step of a turn, if the lane is still held.
-- ARGV: lane, token, patch (JSON; `done` lists ids that leave the lane, `nonce` tells this call from others, `unless_newer`
--       {seen, line}: nothing is written if behind the first `seen` messages one of the same line stands, or one of which
--       it isn't known yet; `revision` [n]: nor if the contact's standing is another one by now; `passed`: a circuit whose
--       provider has answered), retention (ms)
-- Answers 1, 0 when the lease was lost, 2 when there is a newer message, 3 when the standing has changed, 4 when a part of
--         `unless_there` is in GHL already.
-- Needs: applying
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
if not holds(lane, token) then return 0 end
if redis.call('HGET', key('lane', lane), 'written') == patch.nonce then return 1 end
if patch.unless_newer then
  local location = split(lane)
  for _, id in ipairs(redis.call('LRANGE', key('waiting', lane), patch.unless_newer.seen, -1)) do
    local line = redis.call('HGET', key('message', location, id), 'line')
    if line == patch.unless_newer.line or line == UNKNOWN_LINE then return 2 end
  end
end
if patch.revision and revision(lane) ~= patch.revision[1] then return 3 end
for _, part in ipairs(patch.unless_there or {}) do
  local stored = redis.call('HGET', key('ledger', patch.turn), part)
  if stored and cjson.decode(stored).state == 'sent' then return 4 end
end
pass_when_full()
apply(lane, patch, retention)
if patch.passed then close_circuit(patch.passed) end
redis.call('HSET', key('lane', lane), 'written', patch.nonce)
return 1
