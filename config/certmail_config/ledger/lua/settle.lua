-- Record what became of one attempt. Never refused, however late: knowing is not fenced, only starting is.
-- KEYS  none declared; K.job (hash), K.due (zset), K.mailbox (hash), K.begins (zset), K.lane_info, K.events, and what the moves touch
-- ARGV  1 id · 2 attempt · 3 outcome (accepted, not_sent, rejected, unknown) · 4 detail JSON for the record
--       5 next state (accepted, failed, ready, scheduled, uncertain) · 6 reason
--       7 at ms: scheduled = not before; uncertain = when a rule sends it again, or '' to hold it
--       8 '1' if the attempt counts for back-off · 9 cool the mailbox until ms or '' · 10 '1' if Google named that time
--       11 suspend the lane: code or '' · 12 message · 13 connection version · 14 clock ms or ''
-- Gives {'settled', state} · {'already', state} for a second call · {'unknown'} when the job is long forgotten.
local id, attempt, outcome, next_state, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local now = read_clock(ARGV[14])
local job = load_job(id)
if not job then return {'unknown'} end
-- Said before. Only better knowledge may follow: that a request of unknown outcome was accepted after all.
local said = job['outcome:' .. attempt]
if said and not (said == 'unknown' and outcome == 'accepted') then return {'already', job.state} end

redis.call('HSET', K.job .. id, 'outcome:' .. attempt, outcome, 'attempt:' .. attempt, ARGV[4])
local begun_at = tonumber(job['begun:' .. attempt] or job.begun_at or '0')
local mailbox = job.mailbox
if outcome == 'not_sent' and mailbox then redis.call('ZREM', K.begins .. mailbox, id .. ':' .. attempt) end
if outcome == 'accepted' and mailbox and tonumber(redis.call('HGET', K.mailbox .. mailbox, 'cooling') or '0') <= now then
  redis.call('HDEL', K.mailbox .. mailbox, 'probe', 'cooling', 'cool_reason', 'cooled_at', 'strikes')
end
if ARGV[9] ~= '' and mailbox then cool_mailbox(mailbox, tonumber(ARGV[9]), ARGV[10] == '1', begun_at, reason, now) end
if ARGV[11] ~= '' then suspend_lane(job.connection, ARGV[13], ARGV[11], ARGV[12], now) end

local newest = job.attempt == attempt
local open = newest and (job.state == 'sending' or job.state == 'uncertain')
-- A resend that has not begun is called off by the news that the first copy did go out.
local calls_off = outcome == 'accepted' and not is_final(job) and job.state ~= 'sending' and not open
local state = job.state
if open or calls_off then
  if job.state ~= 'uncertain' then free_slots(id, job, now) end
  if ARGV[8] == '1' then redis.call('HINCRBY', K.job .. id, 'failures', 1) end
  state = next_state
  if state == 'accepted' or state == 'failed' then
    put_final(id, job, state, reason, now)
  elseif state == 'ready' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    put_ready(id, job, now)
  elseif state == 'scheduled' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    put_scheduled(id, job, tonumber(ARGV[7]))
  else
    put_uncertain(id, job, reason, tonumber(ARGV[7]), now)
  end
end
emit(now, 'settled', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt, 'outcome', outcome,
  'state', state, 'reason', reason, 'detail', ARGV[4], 'held', state == 'uncertain' and ARGV[7] == '' and '1' or '0'})
return {'settled', state}
