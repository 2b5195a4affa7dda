-- A worker says that it lives and how many deliveries it may hold; 0 takes it off. With it the time goes on.
-- KEYS  none declared; K.workers (zset), K.capacity (hash), K.clock, K.went_back, K.checked_run (strings)
-- ARGV  1 worker · 2 capacity · 3 how long this is good for, ms
--       4 '1' to believe the clock even if it leapt ahead
--       5 the ledger's time when this worker last advertised, ms, or '' · 6 clock ms or ''
-- Gives {now, '1' if the clock leapt and was not believed, else '0'}.
local worker, capacity, good_for, believe, last, clock = unpack(ARGV, 1, 6)

-- The ledger's time has gone back: this server was restored from an older copy, whatever else it shows. A
-- replica that took over may lack a last note like this one, and is not blamed for that.
if last ~= '' and tonumber(redis.call('GET', K.clock) or '0') < tonumber(last) - 5000 then
  redis.call('SET', K.went_back, '1')
  redis.call('DEL', K.checked_run)
end

local now, leapt = read_clock(clock)
if leapt and believe == '1' then leapt = false end
if not leapt then remember_clock(now) end

if tonumber(capacity) == 0 then
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
elseif not leapt then
  redis.call('ZADD', K.workers, text(now + tonumber(good_for)), worker)
  redis.call('HSET', K.capacity, worker, text(tonumber(capacity)))
end
return {text(now), leapt and '1' or '0'}
