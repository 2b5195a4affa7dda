-- The point of no return: the write-ahead record that a request is about to leave.
-- KEYS  none declared; K.job (hash), K.due (zset), K.lane_info (hash), K.mailbox (hash), K.begins (zset), K.events,
--       and what returning to the lane touches
-- ARGV  1 id · 2 fence:nonce of the claim · 3 lease ms · 4 not_after ms or '' · 5 clock ms or ''
-- Gives {'begun', attempt, now}, or {'refused', why}; after most refusals the job is back in its lane or final. Where this
-- claim had begun before, but its lease ended before it learnt so, {'refused', why, attempt}: that request never left.
-- Called again after it began (a retried command) it gives the same answer.
local id, fence, nonce = ARGV[1], string.match(ARGV[2], '^(%d+):(.*)$')
local now, leapt = read_clock(ARGV[5])
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
local info = redis.call('HMGET', K.lane_info .. job.connection, 'state', 'units_per_minute', 'send_units')
if info[1] ~= 'open' then return back('suspended') end
if tonumber(redis.call('HGET', K.mailbox .. job.mailbox, 'cooling') or '0') > now then return back('cooling') end

-- The pacer's interval is a forecast; this counts. One second more than Google's minute, because requests do not
-- take equally long to arrive.
local window = now - 61000
redis.call('ZREMRANGEBYSCORE', K.begins .. job.mailbox, '-inf', text(window))
local allowed = math.floor(tonumber(info[2]) / tonumber(info[3]))
if redis.call('ZCARD', K.begins .. job.mailbox) >= allowed then
  local oldest = redis.call('ZRANGE', K.begins .. job.mailbox, 0, 0, 'WITHSCORES')
  redis.call('HSET', K.mailbox .. job.mailbox, 'next', text(tonumber(oldest[2]) + 61000))
  return back('minute_full')
end

local attempt = text(tonumber(job.attempt) + 1)
local lease = now + tonumber(ARGV[3])
redis.call('ZADD', K.begins .. job.mailbox, text(now), id .. ':' .. attempt)
redis.call('PEXPIRE', K.begins .. job.mailbox, 120000)
redis.call('HSET', K.job .. id, 'state', 'sending', 'attempt', attempt, 'begun_at', text(now), 'lease', text(lease),
  'begun:' .. attempt, text(now), 'begun_by', ARGV[2])
redis.call('ZADD', K.due, text(lease), id)
emit(now, 'begun', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt, 'state', 'sending',
  'worker', job.worker})
return {'begun', attempt, text(now)}
