-- Keeps answers about one account. Where there are very many already, all of them go first.
-- KEYS: the account's answers. ARGV: the most that are kept, for how many seconds, then names and
-- answers, one after the other.
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then redis.call('UNLINK', KEYS[1]) end
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 0
