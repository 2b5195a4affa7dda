-- Say once for each of some days before it that a certificate ends.
-- KEYS  none declared; K.warned (hash), K.events
-- ARGV  1 connection · 2 tenant · 3 version · 4 end, RFC 3339 · 5 days before it that this warning is about · 6 clock ms or ''
-- Gives 1 if that was news, else 0.
local said = ARGV[4] .. '|' .. ARGV[5]
local now = read_clock(ARGV[6])
local before, days = string.match(redis.call('HGET', K.warned, ARGV[1]) or '', '^(.*)|(%d+)$')
if before == ARGV[4] and tonumber(days) <= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', K.warned, ARGV[1], said)
emit(now, 'certificate_expiring', {'connection', ARGV[1], 'tenant', ARGV[2], 'version', ARGV[3], 'not_after', ARGV[4], 'days', ARGV[5]})
return 1
