-- Look at every job whose time has come: due, expired, or leased to a worker whose lease is over.
-- KEYS  none declared; K.due (zset), K.job (hash), K.events, and what the moves touch
-- ARGV  1 most jobs to look at · 2 reaps after claims by different workers that make a job poison
--       3 clock ms or ''
-- Gives {looked at, id, from ('' of one that cannot be read), to, id, from, to, …}, or {'stopped', why} when
-- nothing may be moved at all.
local limit, poison, clock = unpack(ARGV, 1, 3)
poison = tonumber(poison)
local now, leapt = read_clock(clock)
if leapt then return {'stopped', 'clock_leapt'} end
if unchecked() then return {'stopped', 'unchecked'} end
local moved = {}

local function move(id, job, to)
  moved[#moved + 1] = id
  moved[#moved + 1] = job.state
  moved[#moved + 1] = to
end

-- Workers that died holding this job, each counted once.
local function victims(job)
  local seen, count = {}, 0
  for worker in string.gmatch((job.victims or '') .. ',' .. (job.worker or ''), '[^,]+') do
    if not seen[worker] then seen[worker] = true; count = count + 1 end
  end
  local names = {}
  for worker in pairs(seen) do names[#names + 1] = worker end
  table.sort(names)
  return table.concat(names, ','), count
end

local function lease_over_before_begin(id, job)
  free_slots(id, job, now)
  if not job.nonce then -- nobody claimed it: the doorbell was lost, which says nothing about the job
    return move(id, job, (put_ready(id, job, now)))
  end
  local names, count = victims(job)
  redis.call('HSET', K.job .. id, 'victims', names)
  if count >= poison then
    local reason = 'it stopped ' .. count .. ' workers before it could be sent'
    local state = put_final(id, job, 'failed', reason, now)
    emit(now, 'reaped',
      {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', held_in(state)})
    return move(id, job, state)
  end
  local state, why = put_ready(id, job, now)
  if not why then
    emit(now, 'reaped', {'job', id, 'tenant', job.tenant, 'state', 'ready', 'worker', job.worker,
      'reason', 'its worker stopped before sending it'})
  end
  move(id, job, state)
end

local function lease_over_while_sending(id, job)
  free_slots(id, job, now, 'unknown')
  local reason = 'worker_lost: its worker stopped while the request was under way; '
    .. 'whether Gmail took the message is unknown'
  redis.call('HSET', K.job .. id, 'outcome:' .. job.attempt, 'unknown')
  local again = tonumber(job.resend or '')
  if job.called_off then again = nil end
  local state, held = 'uncertain', again and '0' or '1'
  if copies(job) then -- news of an earlier request came meanwhile
    reason = 'an earlier request was accepted'
    state, held = put_final(id, job, 'accepted', reason, now), '0'
  else
    put_uncertain(id, job, reason, again and now + again, now)
  end
  emit(now, 'reaped', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', job.attempt,
    'state', state, 'reason', reason, 'held', held, 'worker', job.worker or ''})
  move(id, job, state)
end

local function uncertain_is_due(id, job)
  if job.held == '1' then -- nobody decided within the time that jobs are kept: closed as what it is
    redis.call('HSET', K.job .. id, 'finished_at', text(now))
    forget_payload(id, job)
    emit(now, 'closed',
      {'job', id, 'tenant', job.tenant, 'state', 'uncertain', 'reason', job.reason, 'held', '1'})
    return move(id, job, 'uncertain')
  end
  if tonumber(job.expires_at) <= now then
    local reason = job.reason .. '; its time passed before it could be sent again'
    put_uncertain(id, job, reason, nil, now)
    emit(now, 'held', {'job', id, 'tenant', job.tenant, 'state', 'uncertain', 'reason', reason, 'held', '1'})
    return move(id, job, 'uncertain')
  end
  local state, why = put_ready(id, job, now)
  if not why then
    redis.call('HSET', K.job .. id, 'possible_duplicate', '1')
    emit(now, 'resent', {'job', id, 'tenant', job.tenant, 'state', 'ready', 'possible_duplicate', '1',
      'reason', 'the rule for unknown outcomes sends it once more'})
  end
  move(id, job, state)
end

local ids = redis.call('ZRANGEBYSCORE', K.due, '-inf', text(now), 'LIMIT', 0, limit)
for _, id in ipairs(ids) do
  local job, broken = load_job(id)
  if broken then
    moved[#moved + 1] = id
    moved[#moved + 1] = ''
    moved[#moved + 1] = set_aside(id, now)
  elseif not job or is_final(job) then
    redis.call('ZREM', K.due, id)
  elseif job.state == 'dispatched' then
    lease_over_before_begin(id, job)
  elseif job.state == 'sending' then
    lease_over_while_sending(id, job)
  elseif job.state == 'uncertain' then
    uncertain_is_due(id, job)
  elseif tonumber(job.expires_at) <= now then
    move(id, job, expire(id, job, now))
  elseif job.state == 'scheduled' then
    local state, why = put_ready(id, job, now)
    if not why then emit(now, 'due', {'job', id, 'tenant', job.tenant, 'state', 'ready'}) end
    move(id, job, state)
  else
    redis.call('ZADD', K.due, job.expires_at, id)
  end
end
return {#ids, unpack(moved)}
