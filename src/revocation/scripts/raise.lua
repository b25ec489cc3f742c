-- Raises marks, and tells those who follow what was news (or all of it).
-- KEYS: marks, events, place. ARGV: a new epoch, events kept, '1' to tell in any case, then marks
-- and their times, one after the other.
-- A mark is kept as its time and, behind a blank, the second of this server's clock at which it was
-- written: how old a mark is, no other clock decides.
redis.call('HSETNX', KEYS[3], 'epoch', ARGV[1])
local epoch = redis.call('HGET', KEYS[3], 'epoch')
local now = redis.call('TIME')[1]
for i = 4, #ARGV, 2 do
  local mark, at = ARGV[i], ARGV[i + 1]
  local held = string.match(redis.call('HGET', KEYS[1], mark) or '', '^%d+') or '0'
  local higher = tonumber(held) < tonumber(at)
  if higher or ARGV[3] == '1' then
    if not higher then at = held end
    redis.call('HSET', KEYS[1], mark, at .. ' ' .. now)
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*',
      'epoch', epoch, 'sequence', redis.call('HINCRBY', KEYS[3], 'sequence', 1),
      'mark', mark, 'at', at)
  end
end
return 0
