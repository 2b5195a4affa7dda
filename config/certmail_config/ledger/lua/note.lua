-- One of the keeper's services notes that it has got on.
-- KEYS  none declared; K.progress (hash)
-- ARGV  1 service · 2 within how many ms it will again, or it stands still · 3 clock ms or ''
-- Gives 1.
local now = read_clock(ARGV[3])
redis.call('HSET', K.progress, ARGV[1], text(now) .. '|' .. text(now + tonumber(ARGV[2])))
redis.call('HDEL', K.progress, ARGV[1] .. ':why')
return 1
