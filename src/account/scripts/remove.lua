-- Removes a mark, unless it was raised in the meantime.
-- KEYS: marks, events, place. ARGV: mark, time.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
