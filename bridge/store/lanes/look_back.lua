-- Note a turn's look into GHL after the state went back, and what it found.
--   KEYS[1]     prefix of the lane
--   KEYS[2...]  prefixes of the partitions, all of which go back with the server; in a cluster the same one
--   ARGV[1]  lane
--   ARGV[2]  token of the turn
--   ARGV[3]  when the state went back (ms)
--   ARGV[4]  JSON, what was found: `stops` and `starts` (lists of {id of the message, channel, when it was written, ms}),
--            `forgotten` (ids of replies that the state does not know), `event`
--   ARGV[5]  retention (ms)
-- Answers 1, or 0 when the lease was lost.
-- Needs: standings, rollback
local lane, token, found, retention = ARGV[1], ARGV[2], cjson.decode(ARGV[4]), tonumber(ARGV[5])
local location, record = split(lane), key('lane', lane)
if not holds(lane, token) then return 0 end
if redis.call('HGET', record, 'looked_for_turn') == ARGV[3] then return 1 end
pass_when_full()
redis.call('HSET', record, 'looked', ARGV[3], 'looked_for_turn', ARGV[3])
-- What is known counted when it came, and may have been lifted since.
local function is_new(id) return redis.call('EXISTS', key('seen', location, id), key('message', location, id)) == 0 end
for _, said in ipairs(found.stops) do
  if is_new(said[1]) then say_stop(lane, said[2], said[3], retention) end
end
for _, said in ipairs(found.starts) do
  if is_new(said[1]) then say_start(lane, said[2], said[3], retention) end
end
if #found.forgotten > 0 then everywhere(function() note_rollback(true) end) end
tell(lane, found.event, retention)
return 1
