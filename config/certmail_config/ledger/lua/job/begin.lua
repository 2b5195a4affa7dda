-- The point of no return: the write-ahead record that a request is about to leave.
-- KEYS  none declared; K.job (hash), K.due (zset), K.lane_info, K.mailbox, K.project, K.day (hashes),
--       K.window (zset), K.paused (set), K.events, and what returning to the lane touches
-- ARGV  1 id · 2 fence:nonce of the claim · 3 lease ms · 4 not_after ms or ''
--       5 should this worker be lost, it is sent once more so long after, ms, or '' to hold it
--       6 clock ms or ''
-- Gives {'begun', attempt, now}, or {'refused', why}; after most refusals the job is back in its lane or
-- final. Where this claim had begun before, but its lease ended before it learnt so, {'refused', why,
-- attempt}: that request never left. Called again after it began (a retried command) it gives the same
-- answer.
local id, claim, lease_ms, not_after, resend, clock = unpack(ARGV, 1, 6)
local fence, nonce = string.match(claim, '^(%d+):(.*)$')
local now, leapt = read_clock(clock)
if leapt then return {'refused', 'clock_leapt'} end

local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if job.begun_by == claim then
  if job.state == 'sending' then return {'begun', job.attempt, job.begun_at} end
  if job['outcome:' .. job.attempt] == 'unknown' then return {'refused', job.state, job.attempt} end
end
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
if not_after ~= '' and tonumber(not_after) <= now then return back('not_after') end

local lane_state, units_per_minute, send_units, project_units_per_minute, per_day, project_units_per_day =
  unpack(redis.call('HMGET', K.lane_info .. job.connection, 'state', 'units_per_minute', 'send_units',
    'project_units_per_minute', 'per_day', 'project_units_per_day'))
if lane_state ~= 'open' then return back('suspended') end
if paused(job.tenant) then return back('paused') end
for _, key in ipairs({K.mailbox .. job.mailbox, K.project .. job.project}) do
  local cooling, probe = unpack(redis.call('HMGET', key, 'cooling', 'probe'))
  if (tonumber(cooling or '0') or 0) > now then return back('cooling') end
  -- One goes first: others that were leased before the pause go back.
  if probe == '1' then
    local leased = key == K.mailbox .. job.mailbox and redis.call('SCARD', K.flying .. job.mailbox)
      or redis.call('ZCOUNT', K.window .. job.project, '+inf', '+inf')
    if leased > 1 then return back('probing') end
  end
end

-- The pacer has seen to it that there is room, and counted this job in; limits may have been lowered since,
-- or two pacers have disagreed. The job's own place is among what is counted.
local function too_many(meter, units)
  local _, allowed = pace_of(meter, tonumber(units), now)
  return minute_used(meter, now) > sends(allowed, tonumber(send_units))
end
if too_many(meter_of(job.mailbox, job.project), units_per_minute) then return back('minute_full') end
if too_many(job.project, project_units_per_minute) then return back('project_full') end
if day_used(job.mailbox, now) > tonumber(per_day) then return back('day_full') end
if day_used(job.project, now) > sends(tonumber(project_units_per_day), tonumber(send_units)) then
  return back('day_full')
end

local attempt = text(tonumber(job.attempt) + 1)
local lease = now + tonumber(lease_ms)
redis.call('HSET', K.job .. id, 'state', 'sending', 'attempt', attempt, 'begun_at', text(now),
  'lease', text(lease), 'begun:' .. attempt, text(now), 'begun_by', claim, 'resend', resend)
redis.call('ZADD', K.due, text(lease), id)
emit(now, 'begun', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt,
  'state', 'sending', 'worker', job.worker})
return {'begun', attempt, text(now)}
