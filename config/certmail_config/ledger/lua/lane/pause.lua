-- An operator lets nothing leave any more, of one tenant or at all; or lets it leave again.
-- KEYS  none declared; K.paused (set), K.lane (zset), K.events, and what waking a lane touches
-- ARGV  1 tenant, or '*' for all · 2 '1' to pause, '0' to go on · 3 why, for the record · 4 clock ms or ''
--       5 by whom, '' for certmail itself
--       from 6 on: the tenant's connections, whose lanes are visited again
-- Gives 1 if that changed anything, else 0.
local tenant, on, reason, clock, by = unpack(ARGV, 1, 5)
local FIRST_LANE = 6
local stops = on == '1'
local now = read_clock(clock)

local changed = redis.call(stops and 'SADD' or 'SREM', K.paused, tenant)
if not stops then
  for at, lane in ipairs(ARGV) do
    if at >= FIRST_LANE and redis.call('ZCARD', K.lane .. lane) > 0 then wake_lane(lane, now) end
  end
end

if changed == 1 then
  if not stops and tenant == '*' then redis.call('HSET', K.progress, 'resumed', text(believed(now))) end
  emit(now, stops and 'paused' or 'resumed', {'tenant', tenant, 'reason', reason, 'by', by})
end
return changed
