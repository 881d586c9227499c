-- Record a step of a turn, if the lane is still held.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  JSON, the patch (bridge/store/lanes/patch.py)
--   ARGV[4]  retention (ms)
-- Answers {written, rest of the lease (ms), closed | probe | '', situation, ledger of the turn (both only for `look`)}. If nothing
-- was written: {lost, rest of the lease in ms (-1: another turn holds the lane)}, {newer}, {changed}, {there}, {shut}, or
-- {no_room, ms until a request is allowed}. parts/results.lua has the numbers.
-- Needs: results, applying, takeover, circuits, permits, situations

-- Write a step, under the nonce that tells that it was written.
--   calm  whether nothing was heard that waits for a call's end
local function write(lane, patch, retention, calm)
  patch.lane = patch.lane or {}
  patch.lane.written = patch.nonce
  apply(lane, patch, retention)
  if not calm and ends_call(patch) then clear_up(lane, retention) end
  if patch.passed then close_circuit(patch.passed) end
end

-- Join an answer and the note of its first post to one step. If both set the same value, the note's counts.
local function join(answer, patch)
  local words = {}
  for _, one in pairs(patch.posting) do words[one[1]] = true end
  for part, one in pairs(answer.posting or {}) do
    if not words[one[1]] then patch.posting[part] = one end
  end
  for _, name in ipairs({'lane', 'ledger'}) do
    for field, value in pairs(answer[name]) do patch[name][field] = patch[name][field] or value end
  end
  for at, event in ipairs(answer.events) do table.insert(patch.events, at, event) end
  patch.claimed, patch.welcomed, patch.excerpt, patch.passed = answer.claimed, answer.welcomed, answer.excerpt, answer.passed
end

local lane, token, patch, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
within_turn = true
local is = redis.call('HMGET', key('lane', lane), 'lease', 'lease_until', 'written', 'released')
if is[1] ~= token then return {STEP.lost, -1} end
local left, written = tonumber(is[2]) - now, is[3]
pass_when_full()
-- An answer that is saved with a post stays, whatever the result of the post.
local first = patch.first
if first and (written == first.nonce or written == patch.nonce) then first = nil end
local function refuse(...)
  if first then write(lane, first, retention) end
  return {...}
end
if patch.least and left < patch.least[1] then return refuse(STEP.lost, left) end
local location, contact = split(lane)
local rare = {key('unclear', lane), key('watched'), key('refused', location)}
for _, circuit in ipairs({patch.circuit and patch.circuit.id or '', patch.passed or first and first.passed or ''}) do
  if circuit ~= '' then rare[#rare + 1], rare[#rare + 2] = key('circuit', circuit), key('circuit', circuit, 'faults') end
end
for _, side in ipairs(patch.welcomed or first and first.welcomed or {}) do rare[#rare + 1] = key('refusals', location, side) end
if patch.unchanged then
  rare[#rare + 1], rare[#rare + 2] = key('paused', contact), key('paused', patch.unchanged.conversation)
end
look_for(unpack(rare))
-- Of a contact that was never answered. What waits to be attributed may write its standing.
if patch.unchanged and not is[4] and missing[rare[1]] then look_for(key('standing', lane), key('replies', lane)) end
if patch.person then redis.call('SET', key('person', lane), patch.person, 'PX', retention) end
remember_all(lane, patch.listed or {}, retention)
local admitted = patch.circuit and admit(patch.circuit.id, token, patch.circuit.longest) or ''
if admitted == 'open' then
  if patch.listed then redis.call('HSET', key('lane', lane), 'backfilled', 1) end
  return {STEP.shut}
end
if patch.listed then
  patch.lane = patch.lane or {}
  patch.lane.backfilled = 1
end

-- Whether a location has other settings than the guards saw, or receives no events for its messages any more.
local function has_changed(settings, marketplace_at, unheard)
  local deaf = tonumber(marketplace_at or 0) < patch.unchanged.heard_since or tonumber(unheard or 0) > patch.unchanged.unheard
  return deaf or redis.sha1hex(settings) ~= patch.unchanged.settings
end

-- Whether nothing may be sent at all: the location was removed or paused, or the app was uninstalled, or its settings are not those
-- that the guards saw.
local function is_silent()
  local known = redis.call(
    'HMGET', key('location', location), 'settings', 'uninstalled_at', 'paused', 'marketplace_at', 'unheard', unpack(CLAIM_FIELDS)
  )
  known_claims[location] = {known[6], known[7], known[8]}
  return not known[1] or known[2] or known[3] == '1' or patch.unchanged and has_changed(known[1], known[4], known[5])
end

-- Whether an operator has paused the contact under an id that no situation contained yet, or it had another reply since.
local function is_another()
  if not patch.unchanged then return false end
  if is_there(key('paused', contact)) or is_there(key('paused', patch.unchanged.conversation)) then return true end
  local replies = key('replies', lane)
  return not missing[replies] and redis.call('ZCOUNT', replies, now - DAY_OF_REPLIES, '+inf') > patch.unchanged.replies
end

-- Why nothing may be written; nil if it may.
local function objection()
  -- A part that is in GHL can't be taken back, even if somebody has written since.
  for _, stored in ipairs(patch.unless_there and redis.call('HMGET', key('ledger', patch.turn), unpack(patch.unless_there)) or {}) do
    if stored and cjson.decode(stored).state == 'sent' then return STEP.there end
  end
  if patch.unless_newer then
    for _, id in ipairs(redis.call('LRANGE', key('waiting', lane), patch.unless_newer.seen, -1)) do
      local line = redis.call('HGET', key('message', location, id), 'line')
      if line == patch.unless_newer.line or line == UNKNOWN_LINE then return STEP.newer end
    end
  end
  if patch.revision and (revision(lane) ~= patch.revision[1] or is_silent()) then return STEP.changed end
  if is_another() then return STEP.changed end
end

if written ~= patch.nonce then
  -- The rate limit that GHL reported is stored even if the step is not.
  if patch.permit then learn_limits(location, patch.permit) end
  -- Whether a message reported during the completion is the bridge's own is known once the answer is.
  local calm = first and not is_there(key('unclear', lane))
  if first and not calm then
    write(lane, first, retention)
    first = nil
  end
  local why_not = objection()
  if why_not then return refuse(why_not) end
  local wait = patch.permit and acquire(location, patch.permit, true) or 0
  if wait > 0 then return refuse(STEP.no_room, wait) end
  if first then join(first, patch) end
  write(lane, patch, retention, calm)
end
if not patch.look then return {STEP.written, left, admitted} end
return {
  STEP.written, left, admitted, situation(lane, patch.look.conversation, patch.look.fields, retention),
  redis.call('HGETALL', key('ledger', patch.turn)),
}
