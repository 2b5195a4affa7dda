-- Withdraw a reminder that a campaign planned: it is no longer wanted, or not as it is. As cancel.lua, but
-- that it ends as suppressed. One that nobody knows may be about to be enqueued, by a planner that stood
-- still meanwhile: it will be refused.
-- KEYS  none declared; K.job (hash), K.withdrawn (string), K.events, and what ending a job touches
-- ARGV  1 id · 2 reason · 3 clock ms or ''
-- Gives {'suppressed'}, or as cancel.lua {'already_sending'}: should the request fail, it is not tried again,
-- {'uncertain'}, {'already_final', state}, or {'unknown'}. Called again it gives the same answer.
local id, reason, clock = unpack(ARGV, 1, 3)
local KEPT = 1209600000

local word, state = cancel(id, reason, (read_clock(clock)), 'suppressed')
if word == 'unknown' then redis.call('SET', K.withdrawn .. id, '', 'PX', text(KEPT)) end
return {word, state}
