-- Store a waiting message again under its GHL id, which is known now; or end it, if that id was accepted before.
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  JSON, the data (below)
--   ARGV[4]  body (the message as JSON)
--   ARGV[5]  how long to remember ids (ms)
--   ARGV[6]  retention (ms)
--
-- The data: `id` in the lane, `ids` that GHL uses for it (the first becomes its id; empty: it keeps its own), `line`,
-- `conversation_id`, `event` (JSON; empty: none), `duplicate` (the patch that ends it), `words` (a digest of the text of a copy
-- without its id; else empty), `nonce` of this call.
--
-- Answers 1, or 0 if the lease was lost.
-- Needs: applying, takeover, dedupe
local lane, token, what, body = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4]
local memory, retention = tonumber(ARGV[5]), tonumber(ARGV[6])
local location = split(lane)
local record = key('lane', lane)
if not holds(lane, token) then return 0 end
if redis.call('HGET', record, 'written') == what.nonce then return 1 end
pass_when_full()
redis.call('HSET', record, 'written', what.nonce)

local function came_before()
  local known = false
  for _, id in ipairs(what.ids) do
    -- A message that GHL lists can't be the twin of another any more.
    if what.words ~= '' then forget_twin(lane, 'told', what.words, id) end
    known = known or redis.call('EXISTS', key('seen', location, id), key('message', location, id)) > 0
  end
  if known or #what.ids > 0 or what.words == '' then return known end
  return match_listed(lane, what.words, what.id, tonumber(redis.call('HGET', key('message', location, what.id), 'at')))
end

local function replace(old, new)
  redis.call('RENAME', key('message', location, old), key('message', location, new))
  redis.call('SET', key('seen', location, old), what.nonce .. ':accepted', 'PX', memory)
  point(old, lane, retention)
  local place = redis.call('LPOS', key('waiting', lane), old)
  if place then redis.call('LSET', key('waiting', lane), place, new) end
  local replaying = cjson.decode(redis.call('HGET', record, 'replaying') or '[]')
  for at, id in ipairs(replaying) do
    if id == old then replaying[at] = new end
  end
  if #replaying > 0 then redis.call('HSET', record, 'replaying', cjson.encode(replaying)) end
end

if came_before() then
  apply(lane, what.duplicate, retention)
  clear_up(lane, retention)
  return 1
end
local id = what.ids[1] or what.id
for _, known in ipairs(what.ids) do
  redis.call('SET', key('seen', location, known), what.nonce .. ':accepted', 'PX', memory)
  if known ~= id then point(known, lane, retention) end
end
if id ~= what.id then replace(what.id, id) end
redis.call('HSET', key('message', location, id), 'body', body, 'line', what.line, 'conversation', what.conversation_id)
point(what.conversation_id, lane, retention)
if what.event ~= '' then tell(lane, what.event, retention) end
if what.line ~= '' then carry_over(lane, what.line, id, retention) end
return 1
