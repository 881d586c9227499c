-- A state that went back: Redis lost confirmed writes, after a failover to a replica that lagged, a restored copy, or a
-- FLUSHALL. From that moment on each older lane looks into GHL before it acts (bridge/policy/rollbacks.py).

-- For how long it is known that the state went back: a lane that was idle for longer has nothing left that it could repeat.
local ROLLBACK_KNOWN_MS = 90 * 24 * 3600 * 1000
-- For how long a process' last write is known: no process is silent for longer and then goes on.
local WRITE_KNOWN_MS = 7 * 24 * 3600 * 1000
-- Processes notice the same loss one after the other; within this time it counts as one.
local SAME_LOSS_MS = 60000
-- A post that had not arrived yet may arrive this much later. GHL's clock, by which it is dated, may be ahead too.
local UNDER_WAY_MS = 20000

-- Sweep every location of the partition at once.
local function sweep_all()
  for _, location in ipairs(redis.call('ZRANGE', key('sweeps'), 0, -1)) do redis.call('ZADD', key('sweeps'), 'LT', now, location) end
end

-- Note in a partition that the state may have gone back, or surely has; all locations are swept at once.
--   certain  whether writes are known to be lost: else it may have been no more than a restart
local function note_rollback(certain)
  local record = key('rollback')
  local known = redis.call('HMGET', record, 'at', 'certain_at')
  local same = certain and known[1] and now - tonumber(known[1]) < SAME_LOSS_MS
  if not same then redis.call('HSET', record, 'at', now) end
  if certain then redis.call('HSET', record, 'certain_at', same and known[2] or now) end
  redis.call('PEXPIRE', record, ROLLBACK_KNOWN_MS)
  if same and known[2] then return end
  sweep_all()
end

-- Do something in each of the partitions whose prefixes follow the first one; then the script continues in the first one's.
--   act  the function
local function everywhere(act)
  for at = 2, #KEYS do
    prefix = KEYS[at]
    act()
  end
  prefix = KEYS[1]
end

-- One value of the server's INFO.
--   section  of INFO
--   name     of the line there
-- Answers it; empty where the server does not tell, or its user may not ask.
local function told_by_server(section, name)
  local told = redis.pcall('INFO', section)
  return type(told) == 'string' and told:match(name .. ':(%w+)') or ''
end

-- What distinguishes this run of this server from others.
-- Answers it; empty where the server does not tell.
local function run_of_server()
  -- From Redis 7 on, one command tells both.
  local told = redis.pcall('INFO', 'server', 'replication')
  if type(told) ~= 'string' then return told_by_server('server', 'run_id') .. told_by_server('replication', 'master_replid') end
  return (told:match('run_id:(%w+)') or '') .. (told:match('master_replid:(%w+)') or '')
end

-- Another server, or another run of it: the partition may lack what it had before.
--   run    as `run_of_server` answers it
--   known  the run that was known; nil: it was not read
local function notice_server(run, known)
  if run == '' then return end
  if known == nil then known = redis.call('GET', key('server')) end
  if known == run then return end
  redis.call('SET', key('server'), run)
  if known then note_rollback(false) end
end

-- A process counts its writes here. If the state has forgotten one that was confirmed, it went back.
--   process    its name
--   confirmed  the newest count that it knows as written; 0: none
--   following  the next one
local function notice_loss(process, confirmed, following)
  local written = tonumber(redis.call('SET', key('wrote', process), following, 'PX', WRITE_KNOWN_MS, 'GET') or 0)
  if written < tonumber(confirmed) then everywhere(function() note_rollback(true) end) end
end

-- Until when what left a conversation without a user's id may be a reply of ours that the state does not know any more.
-- Answers the moment (ms); 0: the state never went back.
local function forgotten_until()
  local known = redis.call('HMGET', key('rollback'), 'at', 'certain_at')
  if not known[1] then return 0 end
  return tonumber(known[1]) + (known[2] and UNDER_WAY_MS or 0)
end
