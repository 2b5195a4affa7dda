-- An operator lets nothing leave any more, of one tenant or at all; or lets it leave again.
-- KEYS  none declared; K.paused (set), K.lane (zset), K.events, and what waking a lane touches
-- ARGV  1 tenant, or '*' for all · 2 '1' to pause, '0' to go on · 3 why, for the record · 4 clock ms or ''
--       5 by whom, '' for certmail itself · from 6 on: the tenant's connections, whose lanes are visited again
-- Gives 1 if that changed anything, else 0.
local tenant, pause = ARGV[1], ARGV[2] == '1'
local now = read_clock(ARGV[4])
local changed = redis.call(pause and 'SADD' or 'SREM', K.paused, tenant)
if not pause then
  for i = 6, #ARGV do
    if redis.call('ZCARD', K.lane .. ARGV[i]) > 0 then wake_lane(ARGV[i], now) end
  end
end
if changed == 1 then emit(now, pause and 'paused' or 'resumed', {'tenant', tenant, 'reason', ARGV[3], 'by', ARGV[5]}) end
return changed
