-- Record what became of one attempt. Never refused, however late: knowing is not fenced, only starting is.
-- KEYS  none declared; K.job (hash), K.due (zset), K.mailbox (hash), K.begins (zset), K.lane_info, K.events, and what the moves touch
-- ARGV  1 id · 2 attempt · 3 outcome (accepted, not_sent, rejected, unknown) · 4 detail JSON for the record
--       5 next state (accepted, failed, ready, scheduled, uncertain) · 6 reason
--       7 at ms: scheduled = not before; uncertain = when a rule sends it again, or '' to hold it
--       8 '1' if the attempt counts for back-off · 9 cool the mailbox until ms or '' · 10 '1' if Google named that time
--       11 suspend the lane: code or '' · 12 message · 13 connection version · 14 clock ms or ''
-- The next state is what the worker asks for; what is known of other requests, or a cancellation, may make it another.
-- Gives {'settled', state} · {'already', state} for a second call · {'unknown'} when the job is long forgotten ·
-- {'unchecked'} when the server may have forgotten it: to be said again later.
local id, attempt, outcome, next_state, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local now = read_clock(ARGV[14])
local job = load_job(id)
-- One that a restored server has forgotten: a repair will tell it of it.
if not job then return {unchecked() and 'unchecked' or 'unknown'} end
-- Said before. Only better knowledge may follow: what became of a request whose outcome was unknown.
local said = job['outcome:' .. attempt]
if said and not (said == 'unknown' and outcome ~= 'unknown') then return {'already', job.state} end

redis.call('HSET', K.job .. id, 'outcome:' .. attempt, outcome, 'attempt:' .. attempt, ARGV[4])
job['outcome:' .. attempt] = outcome
local begun_at = tonumber(job['begun:' .. attempt] or job.begun_at or '0')
local mailbox = job.mailbox
if outcome == 'not_sent' and mailbox then redis.call('ZREM', K.begins .. mailbox, id .. ':' .. attempt) end
if outcome == 'accepted' and mailbox and tonumber(redis.call('HGET', K.mailbox .. mailbox, 'cooling') or '0') <= now then
  redis.call('HDEL', K.mailbox .. mailbox, 'probe', 'cooling', 'cool_reason', 'cooled_at', 'strikes')
end
if ARGV[9] ~= '' and mailbox then cool_mailbox(mailbox, tonumber(ARGV[9]), ARGV[10] == '1', begun_at, reason, now) end
if ARGV[11] ~= '' then suspend_lane(job.connection, ARGV[13], ARGV[11], ARGV[12], now) end

local accepted, unknown = copies(job)
local state, at, held = job.state, tonumber(ARGV[7]), job.held or '0'
-- The newest request decides what follows, as long as nothing else has. News of an earlier one that did go out after
-- all calls off a resend, and puts right what was closed without knowing it; a request under way has to end first.
local decides = job.attempt == attempt and (state == 'sending' or state == 'uncertain')
local corrects = outcome == 'accepted' and state ~= 'sending' and state ~= 'accepted'
if job.would_be and not unknown and not accepted then -- the last doubt is resolved: it ends as it would have
  state, reason = string.match(job.would_be, '^(%a+)|(.*)$')
  state, held = put_final(id, job, state, reason, now), '0'
elseif decides or corrects then
  if state == 'sending' or state == 'dispatched' then free_slots(id, job, now) end
  if ARGV[8] == '1' then redis.call('HINCRBY', K.job .. id, 'failures', 1) end
  state = next_state
  if accepted and state ~= 'accepted' then state, reason = 'accepted', 'an earlier request was accepted' end
  if job.called_off then -- while the request was under way: what did not go out is not tried again
    at = nil
    if state == 'ready' or state == 'scheduled' then state, reason = 'cancelled', job.called_off end
  elseif job.finished_at and (state == 'ready' or state == 'scheduled') then
    state, reason = 'expired', 'its time passed before it was known that it had not gone out'
  end
  if state == 'ready' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    put_ready(id, job, now)
  elseif state == 'scheduled' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    put_scheduled(id, job, at)
  elseif state == 'uncertain' then
    put_uncertain(id, job, reason, at, now)
  else
    state = put_final(id, job, state, reason, now)
    at = nil
  end
  held = state == 'uncertain' and not at and '1' or '0'
end
emit(now, 'settled', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt, 'outcome', outcome,
  'state', state, 'reason', reason, 'detail', ARGV[4], 'held', held})
return {'settled', state}
