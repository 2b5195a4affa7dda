-- Say that a part of a tenant's templates failed, so that certmail's own stands there from now on.
-- KEYS  none declared; K.templates..tenant (hash), K.events
-- ARGV  1 tenant · 2 version of its templates · 3 place, as in en/reminder/ask · 4 why · 5 clock ms or ''
-- Gives 1 if that was news, else 0: another worker was first, or there are newer templates.
local tenant, version, place, why, clock = unpack(ARGV, 1, 5)
local now = read_clock(clock)
local key = K.templates .. tenant

if redis.call('HGET', key, 'version') ~= version then return 0 end
if redis.call('HSETNX', key, 'off:' .. place, why) == 0 then return 0 end

local message = place .. ': ' .. why
emit(now, 'template_suspended',
  {'tenant', tenant, 'version', version, 'place', place, 'code', 'template_failed', 'message', message})
return 1
