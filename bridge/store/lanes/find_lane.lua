-- Find the lane that an id belongs to: of a conversation, or of a message, a reply or a contact, which are looked for in all
-- locations.
--   KEYS[1...]  prefix of each partition
--   ARGV[1]     id
-- Answers the lane; nil if the id is not known.
-- Needs: locations
local id = ARGV[1]

local function lane_at(location)
  local lane = redis.call('HGET', key('message', location, id), 'lane')
  if lane then return lane end
  local contact = (redis.call('GET', key('own', location, id)) or ''):match(' (.+)$')
  if contact then return location .. ':' .. contact end
  local its = location .. ':' .. id
  if redis.call('EXISTS', key('timeline', its), key('lane', its)) > 0 then return its end
end

for _, one in ipairs(KEYS) do
  prefix = one
  local lane = redis.call('GET', key('index', id))
  for _, location in ipairs(lane and {} or known_locations()) do lane = lane or lane_at(location) end
  if lane then return lane end
end
