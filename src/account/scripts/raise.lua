-- Raises a mark, and tells those who follow if that was news (or in any case).
-- KEYS: marks, events, place. ARGV: mark, time, a new epoch, events kept, '1' to tell in any case.
redis.call('HSETNX', KEYS[3], 'epoch', ARGV[3])
local held = redis.call('HGET', KEYS[1], ARGV[1])
local higher = not held or (tonumber(held) or 0) < tonumber(ARGV[2])
if higher then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
if higher or ARGV[5] == '1' then
  local sequence = redis.call('HINCRBY', KEYS[3], 'sequence', 1)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*',
    'epoch', redis.call('HGET', KEYS[3], 'epoch'), 'sequence', sequence,
    'mark', ARGV[1], 'at', ARGV[2])
end
return 0
