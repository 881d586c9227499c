-- Look through some of a location's contacts, newest message first, for those that a search fits.
--   ARGV[1]     location
--   ARGV[2]     place in the list of contacts where to begin; 0 at first
--   ARGV[3]     most that are answered
--   ARGV[4...]  digests, eight characters each, all of which a contact must have: once for each key that may have made them
-- Answers {place where to go on (-1: all were looked at), lane, lane, ...}.
local location, start, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
-- So many take Redis about two milliseconds.
local SOME, DIGEST = 2000, 8

local function has(digests, wanted)
  for at = 1, #wanted, DIGEST do
    local found = digests:find(wanted:sub(at, at + DIGEST - 1), 1, true)
    if not found or (found - 1) % DIGEST ~= 0 then return false end
  end
  return true
end

local contacts = redis.call('ZRANGE', key('recorded', location), start, start + SOME - 1, 'REV')
local answer = {#contacts == SOME and start + SOME or -1}
for place, contact in ipairs(contacts) do
  local lane = location .. ':' .. contact
  local digests = (redis.call('GET', key('person', lane)) or ''):match('^%S*')
  for at = 4, #ARGV do
    if digests ~= '' and has(digests, ARGV[at]) then
      answer[#answer + 1] = lane
      break
    end
  end
  if #answer > most then
    answer[1] = start + place
    break
  end
end
return answer
