-- Take or renew the keeper's lease: one worker process paces, reaps and records.
-- KEYS  none declared; K.keeper (string)
-- ARGV  1 worker · 2 lease ms; 0 gives it up
-- Gives 1 while this worker is the keeper, else 0.
local worker, lease = unpack(ARGV, 1, 2)

local holder = redis.call('GET', K.keeper)
if holder and holder ~= worker then return 0 end
if lease == '0' then
  redis.call('DEL', K.keeper)
  return 0
end
redis.call('SET', K.keeper, worker, 'PX', lease)
return 1
