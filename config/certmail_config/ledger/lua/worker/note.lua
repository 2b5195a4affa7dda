-- One of the keeper's services notes that it has got on.
-- KEYS  none declared; K.progress (hash)
-- ARGV  1 service · 2 within how many ms it will again, or it stands still · 3 clock ms or ''
-- Gives 1.
local service, within, clock = unpack(ARGV, 1, 3)
local now = read_clock(clock)
redis.call('HSET', K.progress, service, text(now) .. '|' .. text(now + tonumber(within)))
redis.call('HDEL', K.progress, service .. ':why')
return 1
