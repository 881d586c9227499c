-- What becomes of a location.

-- The app is there again: what was written before this moment is not answered.
-- Answers 1, or 0 when it was not gone.
local function reactivate(location)
  local record = key('location', location)
  local stopped = redis.call('HDEL', record, 'uninstalled_at')
  if stopped == 1 then redis.call('HSET', record, 'activated_at', now) end
  return stopped
end

-- Forget tokens.
--   name  of the grant: `location:ID` or `company:ID`
local function forget_grant(name)
  redis.call('DEL', key('grant', name))
  redis.call('ZREM', key('grants'), name)
end

-- Whether this state ever had a location. One that never had is an emptied Redis or another one, where nothing may be promised.
-- What older versions have kept bears no mark, but locations.
-- Answers true or false.
local function had_location()
  return redis.call('EXISTS', key('located'), key('locations'), key('installs')) > 0
end
