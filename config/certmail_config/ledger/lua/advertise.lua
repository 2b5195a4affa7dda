-- A worker says that it lives and how many deliveries it may hold; 0 takes it off.
-- KEYS  none declared; K.workers (zset), K.capacity (hash)
-- ARGV  1 worker · 2 capacity · 3 how long this is good for, ms · 4 clock ms or ''
local worker, capacity = ARGV[1], tonumber(ARGV[2])
if capacity == 0 then
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
else
  redis.call('ZADD', K.workers, text(read_clock(ARGV[4]) + tonumber(ARGV[3])), worker)
  redis.call('HSET', K.capacity, worker, text(capacity))
end
return 1
