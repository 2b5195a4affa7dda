-- The point of no return: the write-ahead record that a request is about to leave.
-- KEYS  none declared; K.job (hash), K.due (zset), K.lane_info, K.mailbox, K.project, K.day (hashes),
--       K.window (zset), K.paused (set), K.unwanted (hash), K.events, and what returning to the lane touches
-- ARGV  1 id · 2 fence:nonce of the claim · 3 lease ms · 4 not_after ms or ''
--       5 should this worker be lost, it is sent once more so long after, ms, or '' to hold it
--       6 clock ms or ''
-- Gives {'begun', attempt, now}, or {'refused', why}; after most refusals the job is back in its lane or
-- final. Where this claim had begun before, but its lease ended before it learnt so, {'refused', why,
-- attempt}: that request never left. What a campaign planned and does not want any more becomes suppressed;
-- while the campaign is paused, scheduled. Called again after it began (a retried command) it gives the same
-- answer.
local id, claim, lease_ms, not_after, resend, clock = unpack(ARGV, 1, 6)
local fence, nonce = string.match(claim, '^(%d+):(.*)$')
local last_clock, checked = unpack(redis.call('MGET', K.clock, K.checked_run))
local now, leapt, last = time_after(last_clock, clock)
if leapt then return {'refused', 'clock_leapt'} end

local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if job.begun_by == claim then
  if job.state == 'sending' then return {'begun', job.attempt, job.begun_at} end
  if job['outcome:' .. job.attempt] == 'unknown' then return {'refused', job.state, job.attempt} end
end
if not is_this_run(checked) then return {'refused', 'unchecked'} end
if job.fence ~= fence then return {'refused', 'fenced'} end
if job.state ~= 'dispatched' then return {'refused', job.state} end
-- Leased anew, to nobody yet or to somebody else: a server that was restored may give the same fence twice.
if job.nonce ~= nonce then return {'refused', 'fenced'} end
-- The lease is over: the reaper owns the job from here, even if it has not come by yet.
if tonumber(job.lease) <= now then return {'refused', 'lease_ended'} end

local function back(why)
  -- rarely
  free_slots(id, job, now)
  put_ready(id, job, now)
  return {'refused', why}
end

if tonumber(job.expires_at) <= now then
  -- rarely
  free_slots(id, job, now)
  expire(id, job, now)
  return {'refused', 'expired'}
end
if job.wants then
  -- rarely
  local why, waits = unwanted(job)
  if not why and outside_hours(job, now) then why = OUTSIDE_HOURS end
  if why then
    free_slots(id, job, now)
    local state, ended
    if waits then
      redis.call('HSET', K.job .. id, 'reason', why)
      state, ended = put_scheduled(id, job, now + LOOK_AT_PAUSED, now)
    else
      state = put_final(id, job, 'suppressed', why, now)
    end
    emit(now, 'released', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'state', state,
      'reason', ended or why, 'held', held_in(state)})
    return {'refused', 'unwanted'}
  end
end
if not_after ~= '' and tonumber(not_after) <= now then return back('not_after') end

local lane_state, units_per_minute, send_units, project_units_per_minute, per_day, project_units_per_day =
  unpack(redis.call('HMGET', K.lane_info .. job.connection, 'state', unpack(LIMITS)))
if lane_state ~= 'open' then return back('suspended') end

-- What may stand against it although the pacer has seen to it that there is room, and counted this job in:
-- a pause, a probe, or limits that were lowered since. The job's own place is among what is counted.
local function stopped_since()
  -- rarely
  if paused(job.tenant) then return 'paused' end
  local box, whole = K.mailbox .. job.mailbox, K.project .. job.project
  for _, key in ipairs({box, whole}) do
    local cooling, probe = unpack(redis.call('HMGET', key, 'cooling', 'probe'))
    if (tonumber(cooling or '0') or 0) > now then return 'cooling' end
    -- One goes first: others that were leased before the pause go back.
    if probe == '1' then
      local leased = key == box and redis.call('SCARD', K.flying .. job.mailbox)
        or redis.call('ZCOUNT', K.window .. job.project, '+inf', '+inf')
      if leased > 1 then return 'probing' end
    end
  end

  local function too_many(meter, units)
    local _, allowed = pace_of(meter, tonumber(units), now)
    local used = redis.call('ZCOUNT', K.window .. meter, '(' .. text(now), '+inf')
    return used > sends(allowed, tonumber(send_units))
  end
  if too_many(meter_of(job.mailbox, job.project), units_per_minute) then return 'minute_full' end
  if too_many(job.project, project_units_per_minute) then return 'project_full' end
  if day_used(job.mailbox, now) > tonumber(per_day) then return 'day_full' end
  if day_used(job.project, now) > sends(tonumber(project_units_per_day), tonumber(send_units)) then
    return 'day_full'
  end
end

-- Where nothing is known against any of them, and the limits are those by which it was leased, there is
-- nothing to look for: see look_again.
local limits = limits_of(
  units_per_minute, send_units, project_units_per_minute, per_day, project_units_per_day)
if job.limits ~= limits
  or redis.call('EXISTS', K.mailbox .. job.mailbox, K.project .. job.project, K.paused) > 0 then
  local why = stopped_since()
  if why then return back(why) end
end

local attempt = text(tonumber(job.attempt) + 1)
local lease, at = text(now + tonumber(lease_ms)), text(now)
redis.call('HSET', K.job .. id, 'state', 'sending', 'attempt', attempt, 'begun_at', at, 'lease', lease,
  'begun:' .. attempt, at, 'begun_by', claim, 'resend', resend)
redis.call('ZADD', K.due, lease, id)
if now ~= last then remember_clock(now) end
append(now, 'begun', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt,
  'state', 'sending', 'worker', job.worker})
return {'begun', attempt, at}
