-- Read what a claim in a cluster needs of each partition (bridge/store/lanes/claims.py).
-- Answers {slots that are taken by its lanes, locations that are due, live workers (`name:slots`), ...}.
return {
  redis.call('ZCOUNT', key('inflight'), string.format('(%d', now), '+inf'),
  redis.call('ZCOUNT', key('due'), '-inf', now),
  unpack(redis.call('ZRANGEBYSCORE', key('workers'), string.format('(%d', now), '+inf')),
}
