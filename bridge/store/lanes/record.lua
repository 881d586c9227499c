-- Record a step of a turn, if the lane is still held.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  JSON, the patch (bridge/store/lanes/patch.py)
--   ARGV[4]  retention (ms)
-- Answers {written, rest of the lease (ms), closed | probe | '', situation, ledger of the turn (both only for `look`)}. If nothing
-- was written: {lost, rest of the lease in ms (-1: another turn holds the lane)}, {newer}, {changed}, {there}, {shut}, or
-- {no_room, ms until a request is allowed}. parts/results.lua has the numbers.
-- Needs: results, applying, circuits, rate_limit, situations
local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
local record = key('lane', lane)
within_turn = true
local is = redis.call('HMGET', record, 'lease', 'lease_until', 'written')
if is[1] ~= token then return {STEP.lost, -1} end
local left = tonumber(is[2]) - now
if patch.least and left < patch.least[1] then return {STEP.lost, left} end
pass_when_full()
if patch.listed then
  redis.call('SET', key('topped', lane), 1, 'PX', retention)
  for _, said in ipairs(patch.listed) do remember(lane, said[1], said[2], retention) end
end
local admitted = patch.circuit and admit(patch.circuit.id, token, patch.circuit.longest) or ''
if admitted == 'open' then return {STEP.shut} end

-- Whether nothing may be sent at all: the location was removed or paused, or the app was uninstalled.
local function is_silent(location)
  local known = redis.call('HMGET', key('location', location), 'settings', 'uninstalled_at', 'paused')
  return not known[1] or known[2] or known[3] == '1'
end

-- Why nothing may be written; nil if it may.
local function objection()
  -- A sent part can't be undone, even if somebody has written since.
  for _, part in ipairs(patch.unless_there or {}) do
    local stored = redis.call('HGET', key('ledger', patch.turn), part)
    if stored and cjson.decode(stored).state == 'sent' then return STEP.there end
  end
  if patch.unless_newer then
    local location = split(lane)
    for _, id in ipairs(redis.call('LRANGE', key('waiting', lane), patch.unless_newer.seen, -1)) do
      local line = redis.call('HGET', key('message', location, id), 'line')
      if line == patch.unless_newer.line or line == UNKNOWN_LINE then return STEP.newer end
    end
  end
  if patch.revision and (revision(lane) ~= patch.revision[1] or is_silent((split(lane)))) then return STEP.changed end
end

if is[3] ~= patch.nonce then
  -- The rate limit that GHL reported is stored even if the step is not.
  if patch.permit then learn_limits((split(lane)), patch.permit) end
  local why_not = objection()
  if why_not then return {why_not} end
  local wait = patch.permit and acquire((split(lane)), patch.permit) or 0
  if wait > 0 then return {STEP.no_room, wait} end
  patch.lane = patch.lane or {}
  patch.lane.written = patch.nonce
  apply(lane, patch, retention)
  if patch.passed then close_circuit(patch.passed) end
end
if not patch.look then return {STEP.written, left, admitted} end
return {
  STEP.written, left, admitted, situation(lane, patch.look.conversation, patch.look.fields, retention),
  redis.call('HGETALL', key('ledger', patch.turn)),
}
