-- The id of this installation. The first process sets it.
--   ARGV[1]  the id, if there is none yet
-- Answers the id.
redis.call('SET', key('installation'), ARGV[1], 'NX')
return redis.call('GET', key('installation'))
