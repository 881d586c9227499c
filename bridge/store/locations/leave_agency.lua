-- Delete the tokens of an agency that uninstalled the app, unless they are newer than the event.
--   ARGV[1]  agency
--   ARGV[2]  the event's own time (ms; 0: now)
-- Answers 1, or 0 if they are newer.
-- Needs: locations
local owner, at = 'company:' .. ARGV[1], tonumber(ARGV[2])
at = at > 0 and math.min(at, now) or now
if at < tonumber(redis.call('HGET', key('grant', owner), 'kept_at') or 0) then return 0 end
forget_grant(owner)
return 1
