-- How many slots the live workers have together, and how many of them are free. Who may have them: parts/fair_share.lua.
-- A script that needs this has the prefix of home first, and may look into all partitions.
-- Needs: fair_share

-- A name in each partition: to ask whether there is any takes one command.
--   name  without a prefix
-- Answers a list of the keys.
local function names_of(name)
  local names = {}
  for at = 2, #KEYS do names[at - 1] = KEYS[at] .. name end
  return names
end

-- A worker is reported as alive again when a tenth of the time has passed for which it counts as alive.
local ALIVE_FRESH = 0.9
-- For how long a count of the taken slots is used: a new one takes a command for each partition.
local SLOTS_KNOWN_MS = 1000
-- Of live workers, with their slots: how many they have, and how many with their reserves.
local usual, all = 0, 0
-- How many slots are taken at most, and whether this script has counted them.
local taken, is_counted = nil, false

-- Report that a worker is alive, and count the slots of all live ones.
--   member  the worker and its slots
--   alive   for how long it counts as alive (ms)
local function report_alive(member, alive)
  local workers, expired, fresh = redis.call('ZRANGE', key('workers'), 0, -1, 'WITHSCORES'), false, false
  for at = 1, #workers, 2 do
    local until_ = tonumber(workers[at + 1])
    if workers[at] == member then
      fresh = until_ > now + alive * ALIVE_FRESH and until_ <= now + alive
    elseif until_ <= now then
      expired = true
    else
      local its = tonumber(workers[at]:match(':(%d+)$'))
      -- A worker has a ninth more slots than it reports, as a reserve (Settings.worker_threads).
      usual, all = usual + its, all + its + math.ceil(its / 9)
    end
  end
  local own = tonumber(member:match(':(%d+)$'))
  usual, all = usual + own, all + own + math.ceil(own / 9)
  if expired then redis.call('ZREMRANGEBYSCORE', key('workers'), '-inf', now) end
  if not fresh then redis.call('ZADD', key('workers'), now + alive, member) end
end

-- How many slots are free. Claims add to the number of a moment ago, and nothing is taken off for turns that end meanwhile: as
-- long as half of the slots are free by that number, it is used.
--   exactly  whether they must be counted; nil: it may be an estimate, and never too many
-- Answers the free slots, how many one location may hold at most, and whether it is an estimate.
local function free_slots(exactly)
  taken = not exactly and tonumber(redis.call('GET', key('slots')))
  if taken and all - taken >= all / 2 then return all - taken, usual, true end
  taken, is_counted = 0, true
  local names = names_of('inflight')
  for _, name in ipairs(redis.call('EXISTS', unpack(names)) > 0 and names or {}) do
    taken = taken + redis.call('ZCOUNT', name, string.format('(%d', now), '+inf')
  end
  return all - taken, usual, false
end

-- Note how many slots are taken now, for the claims of the next moment.
--   more  how many were taken since they were counted
local function note_taken(more)
  local known = string.format('%d', taken + more)
  if is_counted then
    redis.call('SET', key('slots'), known, 'PX', SLOTS_KNOWN_MS)
  elseif more > 0 then
    redis.call('SET', key('slots'), known, 'KEEPTTL')
  end
end
