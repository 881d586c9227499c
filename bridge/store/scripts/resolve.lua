-- Write a waiting message anew, by the id that GHL has given it; or end it, when that id was taken in before.
-- ARGV: lane, token, what (JSON: `id` as it stands in the lane, `ids` that GHL knows it by, the first one becomes its own (empty:
--       it keeps the one it has), `line`, `conversation_id`, `event`, `duplicate` (the patch that ends it), `twin` (empty, or what
--       another webhook of the same message says too), `nonce` of this call), body, how long to remember ids (ms),
--       retention (ms), within which twins are one message (ms)
-- Answers 1, or 0 when the lease was lost.
-- Needs: applying
local lane, token, what, body = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4]
local memory, retention, twin_lives = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local location = split(lane)
local record = key('lane', lane)
if not holds(lane, token) then return 0 end
if redis.call('HGET', record, 'written') == what.nonce then return 1 end
pass_when_full()
redis.call('HSET', record, 'written', what.nonce)

local function came_before()
  for _, id in ipairs(what.ids) do
    if redis.call('EXISTS', key('seen', location, id), key('message', location, id)) > 0 then return true end
  end
  if what.twin == '' then return false end
  local at = tonumber(redis.call('HGET', key('message', location, what.id), 'at'))
  local twin = redis.call('GET', key('twin', lane, what.twin))
  if twin and math.abs(at - tonumber(twin)) < twin_lives then return true end
  redis.call('SET', key('twin', lane, what.twin), at, 'PX', memory)
  return false
end

local function replace(old, new)
  redis.call('RENAME', key('message', location, old), key('message', location, new))
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
  return 1
end
local id = what.ids[1] or what.id
for _, known in ipairs(what.ids) do
  redis.call('SET', key('seen', location, known), what.nonce .. ':accepted', 'PX', memory)
  point(known, lane, retention)
end
if id ~= what.id then replace(what.id, id) end
redis.call('HSET', key('message', location, id), 'body', body, 'line', what.line, 'conversation', what.conversation_id)
point(what.conversation_id, lane, retention)
if what.event ~= '' then tell(lane, what.event, retention) end
if what.line ~= '' then carry(lane, what.line, id, retention) end
return 1
