-- Take a lane for one turn. Only a claimed lane can be taken: a wake-up that comes late or twice finds nothing to do.
-- A turn is what waits, or first of all a dead letter that is replayed, with its own messages, answer and ledger.
--   ARGV[1]     lane
--   ARGV[2]     token
--   ARGV[3]     lease (ms)
--   ARGV[4]     id for the turn if a new one begins
--   ARGV[5]     most messages of a turn
--   ARGV[6]     retention (ms)
--   ARGV[7]     how many of the newest words that were said
--   ARGV[8]     JSON, what look-ups at GHL are paid for along with the lease (`LookupsAheadPatch` of patch.py); empty: none
--   ARGV[9]     circuit of what GHL is asked
--   ARGV[10]    circuit of what is posted into GHL
--   ARGV[11]    for how long a probe of these may take (ms)
--   ARGV[12...] names of fields of the location
-- Answers nil, or what `turns.read_turn` reads.
-- Needs: timeline, schedule, situations, circuits, permits
local lane, token, lease, fresh, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local location, contact = split(lane)
local record = key('lane', lane)
pass_when_full()
redis.call('ZREM', key('unheard'), lane)
if not redis.call('ZSCORE', key('inflight'), lane) then return nil end
local held = redis.call('HMGET', record, 'lease', 'lease_until', 'leased_at')
if held[1] and held[1] ~= token and tonumber(held[2]) > now then return nil end

local function bodies(ids)
  local found = {}
  for _, id in ipairs(ids) do found[#found + 1] = redis.call('HGET', key('message', location, id), 'body') or '' end
  return found
end

-- The first try of a replay: the lane takes over what the dead letter knew.
if redis.call('HEXISTS', record, 'turn') == 0 then
  local id = redis.call('LPOP', key('replays', lane))
  local stored = id and redis.call('GET', key('dead', id))
  if stored then
    local dead_letter = cjson.decode(stored)
    redis.call('HSET', record, 'turn', id, 'replaying', cjson.encode(dead_letter.message_ids), 'asks', dead_letter.asks or 0)
    if dead_letter.asked_for then redis.call('HSET', record, 'asked_for', dead_letter.asked_for) end
    if dead_letter.answer ~= '' then
      redis.call(
        'HSET', record, 'answer', dead_letter.answer, 'answered', dead_letter.answered, 'answered_at', dead_letter.answered_at,
        'parts', dead_letter.parts or ''
      )
    end
  end
end

local replaying = redis.call('HGET', record, 'replaying')
local ids = replaying and cjson.decode(replaying) or redis.call('LRANGE', key('waiting', lane), 0, most - 1)
if #ids == 0 then
  -- Every message was ended one by one, as duplicates or by a holder that died before the release.
  forget_turn(lane)
  free_slot(lane)
  reschedule(lane)
  keep_lane(lane, tonumber(ARGV[6]))
  return nil
end
if held[1] ~= token and redis.call('HINCRBY', record, 'unfinished', 1) > 1 then
  count('tries|abandoned')
  -- Versions before this one did not write when a lease began.
  local ran = held[2] and held[3] and (tonumber(held[2]) - tonumber(held[3])) / 1000
  tell(lane, cjson.encode({step = 'recovered', ran_seconds = ran or nil}), tonumber(ARGV[6]))
end
redis.call('HDEL', record, 'parked')
redis.call('HSETNX', record, 'turn', fresh)
if held[1] ~= token then redis.call('HSET', record, 'leased_at', now) end
redis.call('HSET', record, 'lease', token, 'lease_until', now + lease)
redis.call('ZADD', key('due', location), now + lease, contact)
take_slot(lane, now + lease)

local topped, paid = redis.call('EXISTS', key('topped', lane)), 0
if ARGV[8] ~= '' then
  local ahead = cjson.decode(ARGV[8])
  learn_limits(location, ahead.permit)
  paid = acquire_ahead(location, ahead.permit, topped == 1 and ahead.later or ahead.first, ahead.valid)
end

local turn = redis.call('HGET', record, 'turn')
-- The saved answer of a replay knows its texts, and those that its turn took along.
local answered = replaying and (redis.call('HGET', record, 'answer') or '') ~= ''
local carried = answered and {} or redis.call('LRANGE', key('carried', lane), 0, -1)
return {
  now, replaying and 1 or 0, redis.call('LLEN', key('waiting', lane)), redis.call('HGETALL', record),
  redis.call('HGETALL', key('ledger', turn)), bodies(ids), bodies(carried),
  situation(lane, redis.call('HGET', key('message', location, ids[#ids]), 'conversation') or '', {unpack(ARGV, 12)}, tonumber(ARGV[6])),
  redis.call('ZRANGE', key('said', lane), -tonumber(ARGV[7]), -1, 'WITHSCORES'), topped,
  admit_turn({ARGV[9], ARGV[10]}, token, tonumber(ARGV[11])), paid,
  (redis.call('GET', key('person', lane)) or ''):match('^%S*'),
}
