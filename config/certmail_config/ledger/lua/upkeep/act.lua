-- Note that somebody did something to a tenant, or to the whole deployment: an event, and nothing else.
-- KEYS  none declared; K.events
-- ARGV  1 what was done · 2 tenant, or '*' for all · 3 connection or '' · 4 more of it, in words · 5 by whom
--       6 clock ms or ''
-- Gives 1.
local kind, tenant, connection, reason, by, clock = unpack(ARGV, 1, 6)
local fields = {'tenant', tenant, 'reason', reason, 'by', by}
if connection ~= '' then
  fields = {'tenant', tenant, 'connection', connection, 'reason', reason, 'by', by}
end
emit(read_clock(clock), kind, fields)
return 1
