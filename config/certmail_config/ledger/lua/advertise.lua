-- A worker says that it lives and how many deliveries it may hold; 0 takes it off. With it the time goes on.
-- KEYS  none declared; K.workers (zset), K.capacity (hash), K.clock (string)
-- ARGV  1 worker · 2 capacity · 3 how long this is good for, ms · 4 '1' to believe the clock even if it leapt ahead · 5 clock ms or ''
-- Gives {now, '1' if the clock leapt and was not believed, else '0'}.
local worker, capacity = ARGV[1], tonumber(ARGV[2])
local now, leapt = read_clock(ARGV[5])
if leapt and ARGV[4] == '1' then leapt = false end
if not leapt then remember_clock(now) end
if capacity == 0 then
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
elseif not leapt then
  redis.call('ZADD', K.workers, text(now + tonumber(ARGV[3])), worker)
  redis.call('HSET', K.capacity, worker, text(capacity))
end
return {text(now), leapt and '1' or '0'}
