-- Removes old marks among some of them, by this server's clock; answers where to go on.
-- KEYS: marks, events, place. ARGV: the cursor ('0' to begin), how many marks to look at, for how
-- many seconds a mark is kept, how many seconds lie between two prunings (of all replicas).
local now = tonumber(redis.call('TIME')[1])
if ARGV[1] == '0' then
  local last = tonumber(redis.call('HGET', KEYS[3], 'pruned') or '0') or 0
  if last <= now and now < last + tonumber(ARGV[4]) then return '0' end
  redis.call('HSET', KEYS[3], 'pruned', now)
end
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local found, old = page[2], {}
for i = 1, #found, 2 do
  local at, written = string.match(found[i + 1], '^(%d+) ?(%d*)$')
  if at then
    local latest = math.max(tonumber(at), tonumber(written) or 0)
    if latest + tonumber(ARGV[3]) < now then old[#old + 1] = found[i] end
  end
end
for i = 1, #old, 500 do
  redis.call('HDEL', KEYS[1], unpack(old, i, math.min(i + 499, #old)))
end
return page[1]
