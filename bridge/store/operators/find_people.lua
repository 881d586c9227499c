-- Search some of a location's contacts, newest message first.
--   ARGV[1]     location
--   ARGV[2]     position in the list of contacts; 0 at first
--   ARGV[3]     most results
--   ARGV[4...]  digests of eight characters, all of which a contact must have; one list for each key and form of a number
-- Answers {position to continue from (-1: the end was reached), lane, lane, ...}.
local location, start, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
-- Redis takes about two milliseconds for this many.
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
