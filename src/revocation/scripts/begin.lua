-- Where the stream is at this moment, and what time it is here. What is raised while the marks are read is behind it.
-- KEYS: marks, events, place. ARGV: a new epoch.
redis.call('HSETNX', KEYS[3], 'epoch', ARGV[1])
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local id = '0-0'
if last[1] then id = last[1][1] end
return {redis.call('HGET', KEYS[3], 'epoch'),
  tonumber(redis.call('HGET', KEYS[3], 'sequence') or '0'), id,
  tonumber(redis.call('TIME')[1])}
