-- Select the lanes of a list of conversations, with the state of each.
--   KEYS[1...]  prefix of each lane
--   ARGV[1]     JSON, the filter (below)
--   ARGV[2]     retention (ms)
--   ARGV[3...]  lane, when its newest message came (ms; 0: not known), lane, ...
--
-- The filter: `work` (waiting | answering | retrying | overdue | held; empty: any), `ended` (list of status, or
-- status|reason, of a message that ended; empty: any), `since` and `before` (ms: the newest of those; of the conversation's newest
-- message without `ended`), `kinds` (names of message types; empty: any), `delivery` (accepted | delivered; empty: any), `most`
-- (how many).
--
-- Answers {how many lanes were checked, how many of them were read from their timelines, then for each match {position of the
-- lane, waiting | answering | retrying | held | '', due (ms), attempts, ended, time of the matching end (ms), message type}}.
-- Needs: schedule, timeline
local wanted, retention = cjson.decode(ARGV[1]), tonumber(ARGV[2])
local kinds = {}
for _, kind in ipairs(wanted.kinds) do kinds[kind] = true end
-- Ends that an older version wrote are read from the timeline. This is slow, so a call does it for at most this many lanes; the
-- caller continues after them.
local MOST_CAUGHT_UP, LOOKED_BACK = 100, 40
local caught_up = 0

-- The state of a lane's work, and when it is due (ms); nil if there is no work.
local function work_of(lane)
  local location, contact = split(lane)
  local due = redis.call('ZSCORE', key('due', location), contact)
  if not due then return '', 0 end
  local slot = redis.call('ZSCORE', key('inflight'), lane)
  if slot and tonumber(slot) > now then return 'answering', tonumber(due) end
  if redis.call('SISMEMBER', key('holds'), location) == 1 then return 'held', tonumber(due) end
  local unheard = redis.call('ZSCORE', key('unheard'), lane)
  local work = redis.call('SISMEMBER', key('retrying'), lane) == 1 and 'retrying' or 'waiting'
  return work, tonumber(unheard or due)
end

local function has_work(work, due)
  if wanted.work == '' then return true end
  if wanted.work == 'overdue' then return (work == 'waiting' or work == 'retrying') and due < now end
  return work == wanted.work or (wanted.work == 'waiting' and work == 'retrying')
end

-- The end of the newest message of a lane's timeline, read from its record, because no end was noted.
local function catch_up(lane, came_at)
  caught_up = caught_up + 1
  local location = split(lane)
  local events = redis.call('LRANGE', key('timeline', lane), -LOOKED_BACK, -1)
  for at = #events, 1, -1 do
    -- In full, or as bridge/store/lanes/phrases.py writes it.
    local id = events[at]:match('"message_id":"([^"]+)"') or events[at]:match('\1([^%c"]+)')
    local is = id and redis.call('HMGET', key('message', location, id), 'status', 'reason') or {}
    if is[1] and is[2] ~= 'duplicate' then
      if is[1] ~= 'waiting' and is[1] ~= 'answering' and is[1] ~= 'retrying' then
        note_end(lane, is[1], is[2] or '', '', came_at, retention)
      end
      return
    end
  end
end

local fields = {'ended'}
for _, ended in ipairs(wanted.ended) do fields[#fields + 1] = 'ended:' .. ended end

-- How the newest message of a lane ended, and the time of the newest matching end (ms); nil if there is none.
local function ended_of(lane, came_at, work)
  local is = redis.call('HMGET', key('lane', lane), unpack(fields))
  if work == '' and came_at > (is[1] and tonumber(is[1]:match('%d+$')) or 0) then
    catch_up(lane, came_at)
    is = redis.call('HMGET', key('lane', lane), unpack(fields))
  end
  local newest
  for one = 2, #fields do
    if is[one] then newest = math.max(newest or 0, tonumber(is[one])) end
  end
  return is[1] or '', newest
end

local function kind_of(lane, ended)
  local kind = ended:match('^[^|]*|[^|]*|([^|]*)|') or ''
  if kind ~= '' then return kind end
  local first = redis.call('LINDEX', key('waiting', lane), 0)
  local line = first and redis.call('HGET', key('message', (split(lane)), first), 'line') or ''
  return line and line:match('^[^|]*') or ''
end

local function was_delivered(lane)
  local noted, any = redis.call('HVALS', key('delivery', lane)), false
  for _, one in ipairs(noted) do any = any or one == 'delivered' end
  if wanted.delivery == 'delivered' then return any end
  return #noted == 0 and redis.call('HEXISTS', key('lane', lane), 'ended:replied') == 1
end

local answer = {0, 0}
for at = 3, #ARGV, 2 do
  if #answer > wanted.most + 1 or caught_up == MOST_CAUGHT_UP then break end
  local lane, came_at = ARGV[at], tonumber(ARGV[at + 1])
  prefix = KEYS[(at - 1) / 2]
  answer[1] = answer[1] + 1
  local work, due = work_of(lane)
  local ended, matched = ended_of(lane, came_at, work)
  local moment = wanted.ended[1] and (matched or 0) or came_at
  local in_time = moment == 0 or (moment >= wanted.since and moment < wanted.before)
  local fits = has_work(work, due) and in_time and (matched or not wanted.ended[1])
  local kind = fits and kind_of(lane, ended)
  if fits and (not wanted.kinds[1] or kinds[kind]) and (wanted.delivery == '' or was_delivered(lane)) then
    local tries = work ~= '' and redis.call('HGET', key('lane', lane), 'attempts') or '0'
    answer[#answer + 1] = {answer[1], work, string.format('%d', due), tries or '0', ended, string.format('%d', moment), kind}
  end
end
answer[2] = caught_up
return answer
