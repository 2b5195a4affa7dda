-- End a delivery before begin: nothing was sent.
-- KEYS  none declared; K.job (hash), K.due, K.lane, K.wake (zsets), K.lane_info, K.events
-- ARGV  1 id · 2 fence:nonce of the claim · 3 to (ready, scheduled, failed, suppressed, expired) · 4 reason
--       5 not before ms (scheduled) or '' · 6 '1' if it counts for back-off · 7 suspend the lane: code or ''
--       8 message (a second line says what to do) · 9 connection version · 10 clock ms or ''
-- Gives {'released', state}, {'already', state} for a second call, or {'refused', why} when the worker was
-- fenced out.
local id, claim, to, reason, not_before, counts, code, message, version, clock = unpack(ARGV, 1, 10)
local fence, nonce = string.match(claim, '^(%d+):(.*)$')
local now = read_clock(clock)

local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if code ~= '' then suspend_lane(job.connection, version, code, message, now) end
if job.fence ~= fence then return {'refused', 'fenced'} end
-- Leased anew, to nobody yet or to somebody else: this is a second call that came late.
if job.state ~= 'dispatched' or job.nonce ~= nonce then return {'already', job.state} end

free_slots(id, job, now)
if counts == '1' then redis.call('HINCRBY', K.job .. id, 'failures', 1) end
local why -- it cannot wait
if to == 'ready' then
  redis.call('HSET', K.job .. id, 'reason', reason)
  to, why = put_ready(id, job, now)
elseif to == 'scheduled' then
  redis.call('HSET', K.job .. id, 'reason', reason)
  to, why = put_scheduled(id, job, tonumber(not_before), now)
else
  to = put_final(id, job, to, reason, now)
end

emit(now, 'released', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'state', to,
  'reason', why or reason, 'held', to == 'uncertain' and '1' or '0'})
return {'released', to}
