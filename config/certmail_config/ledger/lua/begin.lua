-- The point of no return: the write-ahead record that a request is about to leave.
-- KEYS  none declared; K.job (hash), K.due (zset), K.lane_info, K.mailbox, K.project, K.day (hashes), K.window (zset), K.paused (set), K.events,
--       and what returning to the lane touches
-- ARGV  1 id · 2 fence:nonce of the claim · 3 lease ms · 4 not_after ms or '' · 5 should this worker be lost, it is sent once more so long
--       after, ms, or '' to hold it · 6 clock ms or ''
-- Gives {'begun', attempt, now}, or {'refused', why}; after most refusals the job is back in its lane or final. Where this
-- claim had begun before, but its lease ended before it learnt so, {'refused', why, attempt}: that request never left.
-- Called again after it began (a retried command) it gives the same answer.
local id, fence, nonce = ARGV[1], string.match(ARGV[2], '^(%d+):(.*)$')
local now, leapt = read_clock(ARGV[6])
if leapt then return {'refused', 'clock_leapt'} end
local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if job.state == 'sending' and job.begun_by == ARGV[2] then return {'begun', job.attempt, job.begun_at} end
if job.begun_by == ARGV[2] and job['outcome:' .. job.attempt] == 'unknown' then return {'refused', job.state, job.attempt} end
if unchecked() then return {'refused', 'unchecked'} end
if job.fence ~= fence then return {'refused', 'fenced'} end
if job.state ~= 'dispatched' then return {'refused', job.state} end
-- Leased anew, to nobody yet or to somebody else: a server that was restored may give the same fence twice.
if job.nonce ~= nonce then return {'refused', 'fenced'} end
-- The lease is over: the reaper owns the job from here, even if it has not come by yet.
if tonumber(job.lease) <= now then return {'refused', 'lease_ended'} end

local function back(why)
  free_slots(id, job, now)
  put_ready(id, job, now)
  return {'refused', why}
end
if tonumber(job.expires_at) <= now then
  free_slots(id, job, now)
  expire(id, job, now)
  return {'refused', 'expired'}
end
if ARGV[4] ~= '' and tonumber(ARGV[4]) <= now then return back('not_after') end
local info = redis.call('HMGET', K.lane_info .. job.connection, 'state', 'units_per_minute', 'send_units', 'project_units_per_minute',
  'per_day', 'project_units_per_day')
if info[1] ~= 'open' then return back('suspended') end
if paused(job.tenant) then return back('paused') end
for _, key in ipairs({K.mailbox .. job.mailbox, K.project .. job.project}) do
  local found = redis.call('HMGET', key, 'cooling', 'probe')
  if (tonumber(found[1] or '0') or 0) > now then return back('cooling') end
  -- One goes first: others that were leased before the pause go back.
  if found[2] == '1' then
    local leased = key == K.mailbox .. job.mailbox and redis.call('SCARD', K.flying .. job.mailbox)
      or redis.call('ZCOUNT', K.window .. job.project, '+inf', '+inf')
    if leased > 1 then return back('probing') end
  end
end
-- The pacer has seen to it that there is room, and counted this job in; limits may have been lowered since, or two
-- pacers have disagreed. The job's own place is among what is counted.
local function too_many(meter, units)
  local _, allowed = pace_of(meter, tonumber(units), now)
  return minute_used(meter, now) > sends(allowed, tonumber(info[3]))
end
if too_many(meter_of(job.mailbox, job.project), info[2]) then return back('minute_full') end
if too_many(job.project, info[4]) then return back('project_full') end
if day_used(job.mailbox, now) > tonumber(info[5]) or day_used(job.project, now) > sends(tonumber(info[6]), tonumber(info[3])) then
  return back('day_full')
end

local attempt = text(tonumber(job.attempt) + 1)
local lease = now + tonumber(ARGV[3])
redis.call('HSET', K.job .. id, 'state', 'sending', 'attempt', attempt, 'begun_at', text(now), 'lease', text(lease),
  'begun:' .. attempt, text(now), 'begun_by', ARGV[2], 'resend', ARGV[5])
redis.call('ZADD', K.due, text(lease), id)
emit(now, 'begun', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt, 'state', 'sending',
  'worker', job.worker})
return {'begun', attempt, text(now)}
