-- Call a reminder off, at any moment before its request is under way.
-- KEYS  none declared; K.job (hash), K.events, and what ending a job touches
-- ARGV  1 id · 2 reason: who called it off, and why · 3 clock ms or ''
-- Gives {'cancelled'}, {'already_sending'}: should the request fail, it is not tried again, {'uncertain'}: a
-- copy may be out; it is not sent again, {'already_final', state}, or {'unknown'}. Called again it gives the
-- same answer.
local id, reason, clock = unpack(ARGV, 1, 3)
return {cancel(id, reason, (read_clock(clock)))}
