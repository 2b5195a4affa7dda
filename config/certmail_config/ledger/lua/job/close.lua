-- A person decides that what became of a reminder stays unknown: it is closed, and never sent again.
-- KEYS  none declared; K.job (hash), K.events, and what ending a job touches
-- ARGV  1 id · 2 reason: who decided it, and why · 3 clock ms or ''
-- Gives {'closed'}, {'refused', state} where it is not uncertain, or {'unknown'}. Called again it gives the
-- same answer.
local id, reason, clock = unpack(ARGV, 1, 3)
local now = read_clock(clock)

local job = load_job(id)
if not job then return {'unknown'} end
if job.state ~= 'uncertain' then return {'refused', job.state} end
if job.finished_at then return {'closed'} end

redis.call('HSET', K.job .. id, 'finished_at', text(now), 'reason', reason, 'held', '1')
forget_payload(id, job)
emit(now, 'closed', {'job', id, 'tenant', job.tenant, 'state', 'uncertain', 'reason', reason, 'held', '1'})
return {'closed'}
