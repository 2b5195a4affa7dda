-- Say once for each of some days before it that a certificate ends.
-- KEYS  none declared; K.warned (hash), K.events
-- ARGV  1 connection · 2 tenant · 3 version · 4 end, RFC 3339 · 5 days before it that this warning is about
--       6 clock ms or ''
-- Gives 1 if that was news, else 0.
local connection, tenant, version, not_after, days, clock = unpack(ARGV, 1, 6)
local now = read_clock(clock)

local warned_of, warned_days = string.match(redis.call('HGET', K.warned, connection) or '', '^(.*)|(%d+)$')
if warned_of == not_after and tonumber(warned_days) <= tonumber(days) then return 0 end

redis.call('HSET', K.warned, connection, not_after .. '|' .. days)
emit(now, 'certificate_expiring',
  {'connection', connection, 'tenant', tenant, 'version', version, 'not_after', not_after, 'days', days})
return 1
