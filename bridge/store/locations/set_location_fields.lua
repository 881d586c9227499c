-- Set fields of a location, if it exists.
--   ARGV[1]     location
--   ARGV[2...]  field, value, field, value
-- Answers 1, or 0 if it is not known.
set_fields(unpack(ARGV))
return redis.call('EXISTS', key('location', ARGV[1]))
