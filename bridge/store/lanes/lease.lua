-- Lease a lane for one turn. Only a claimed lane can be leased: a wake-up that comes late or twice has no effect.
-- The turn takes the waiting messages; a replayed dead letter comes first, with its own messages, answer and ledger.
--   ARGV[1]     lane
--   ARGV[2]     token
--   ARGV[3]     lease (ms)
--   ARGV[4]     id for the turn if a new one begins
--   ARGV[5]     most messages of a turn
--   ARGV[6]     retention (ms)
--   ARGV[7]     how many of the newest messages of the transcript
--   ARGV[8]     JSON, the look-ups at GHL to reserve with the lease (`LookupsAheadPatch` of patch.py); empty: none
--   ARGV[9]     circuit of reading from GHL
--   ARGV[10]    circuit of posting to GHL
--   ARGV[11]    time limit of a probe of these (ms)
--   ARGV[12...] names of fields of the location
-- Answers nil, or the list that `turns.read_turn` reads.
-- Needs: timeline, schedule, situations, circuits, permits, rollback
local lane, token, lease, fresh, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local location, contact = split(lane)
local record = key('lane', lane)
pass_when_full()
local kept = redis.call('MGET', key('server'), key('person', lane))
notice_server(run_of_server(), kept[1])
redis.call('ZREM', key('unheard'), lane)
local claimed_until = tonumber(redis.call('ZSCORE', key('inflight'), lane) or 0)
if claimed_until == 0 then return nil end
local known = rows(redis.call('HGETALL', record))
local again = is_holder(known, token)
if known.lease and not again and tonumber(known.lease_until) > now then return nil end

-- The fields of the lane that are written at the end.
local fresh_fields = {}
local function set(field, value)
  known[field] = tostring(value)
  fresh_fields[#fresh_fields + 1], fresh_fields[#fresh_fields + 2] = field, value
end

-- The texts of messages, and the conversation of the last one.
local function bodies(ids)
  local found, conversation = {}, ''
  for at, id in ipairs(ids) do
    local its = redis.call('HMGET', key('message', location, id), 'body', 'conversation')
    found[at], conversation = its[1] or '', its[2] or ''
  end
  return found, conversation
end

-- The turn's messages, with their texts.
local function messages_of_turn()
  local ids = known.replaying and cjson.decode(known.replaying) or redis.call('LRANGE', key('waiting', lane), 0, most - 1)
  return ids, bodies(ids)
end
local ids, texts, conversation = messages_of_turn()
look_for(
  key('replays', lane), key('paused', conversation), key('carried', lane), key('paused', contact), key('refused', location),
  unpack(names_of_circuits({ARGV[9], ARGV[10]}))
)
-- Of a contact that writes for the first time, most is not there.
if not next(known) then look_for(key('said', lane), key('replies', lane), key('standing', lane)) end

-- The first attempt of a replay: the lane gets the data of the dead letter.
if not known.turn and is_there(key('replays', lane)) then
  local id = redis.call('LPOP', key('replays', lane))
  local stored = id and redis.call('GET', key('dead', id))
  if stored then
    local dead_letter = cjson.decode(stored)
    set('turn', id)
    set('replaying', cjson.encode(dead_letter.message_ids))
    set('asks', dead_letter.asks or 0)
    if dead_letter.asked_for then set('asked_for', dead_letter.asked_for) end
    if dead_letter.answer ~= '' then
      for _, field in ipairs({'answer', 'answered', 'answered_at', 'parts'}) do set(field, dead_letter[field] or '') end
    end
    ids, texts, conversation = messages_of_turn()
  end
end

local replaying = known.replaying
if #ids == 0 then
  -- All messages were ended one by one: as duplicates, or by a worker that died before the release.
  forget_turn(lane)
  free_slot(lane)
  reschedule(lane)
  keep_lane(lane, tonumber(ARGV[6]))
  return nil
end
local unfinished = tonumber(known.unfinished or 0) + 1
if not again and unfinished > 1 then
  count('tries|abandoned')
  -- Older versions did not store when a lease began.
  local ran = known.lease_until and known.leased_at and (tonumber(known.lease_until) - tonumber(known.leased_at)) / 1000
  tell(lane, cjson.encode({step = 'recovered', ran_seconds = ran or nil}), tonumber(ARGV[6]))
end
if known.parked then redis.call('HDEL', record, 'parked') end
known.parked = nil
-- A new turn has no ledger yet.
local begins = not known.turn
if begins then set('turn', fresh) end
if not again then
  set('unfinished', unfinished)
  set('leased_at', now)
end
-- A claim of just now holds the slot and the place on the schedule for as long as its lease would: nothing of these is written
-- again (schedule.py: FRESH).
local lease_until = claimed_until - now >= lease * FRESH and math.min(claimed_until, now + lease) or now + lease
set('lease', token)
set('lease_until', lease_until)
redis.call('HSET', record, unpack(fresh_fields))
local due = redis.call('ZSCORE', key('due', location), contact)
if tonumber(due or 0) ~= lease_until then redis.call('ZADD', key('due', location), lease_until, contact) end
if lease_until ~= claimed_until then take_slot(lane, lease_until) end

-- A turn that waits for GHL needs no look-up.
local ghl = admit_turn({ARGV[9], ARGV[10]}, token, tonumber(ARGV[11]))
local person, paid, topped = kept[2] or '', 0, known.backfilled and 1 or 0
if ARGV[8] ~= '' and ghl[1] == '' then
  local ahead = cjson.decode(ARGV[8])
  learn_limits(location, ahead.permit)
  paid = acquire_ahead(location, ahead.permit, topped == 1 and ahead.later or ahead.first, ahead.valid, again)
end

-- A replay's saved answer contains its texts, and those that its turn took from other dead letters.
local answered = replaying and (known.answer or '') ~= ''
local carried = (answered or missing[key('carried', lane)]) and {} or redis.call('LRANGE', key('carried', lane), 0, -1)
local waiting = (replaying or #ids == most) and redis.call('LLEN', key('waiting', lane)) or #ids
-- When the state went back last, and when this lane began.
local rollback = redis.call('HMGET', key('rollback'), 'at', 'certain_at')
local first = rollback[1] and redis.call('LINDEX', key('timeline', lane), 0)
local its, said = {}, key('said', lane)
for field, value in pairs(known) do its[#its + 1], its[#its + 2] = field, value end
return {
  now, replaying and 1 or 0, waiting, its, begins and {} or redis.call('HGETALL', key('ledger', known.turn)), texts, (bodies(carried)),
  situation(lane, conversation, {unpack(ARGV, 12)}, tonumber(ARGV[6])),
  missing[said] and {} or redis.call('ZRANGE', said, -tonumber(ARGV[7]), -1, 'WITHSCORES'), topped, ghl,
  person:match('^%S*'),
  {rollback[1] or '0', rollback[2] or '0', first and first:match('^%d+') or '0'}, paid,
}
