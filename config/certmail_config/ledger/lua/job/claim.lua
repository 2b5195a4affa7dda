-- A worker answers the doorbell: it alone now prepares this job.
-- KEYS  none declared; K.job, K.lane_info, K.connection (hashes), K.body (string), K.due (zset), K.ringing
--       (set), and what returning to the lane touches
-- ARGV  1 id · 2 worker · 3 nonce of this call · 4 lease ms · 5 oldest doorbell ms · 6 clock ms or ''
-- Gives {'claimed', fence, body, seal, name, value, …} with the fields that a worker needs and the strikes of
-- its mailbox and project, or {'refused', why}. `seal` is the end of what is sealed of its connection: no two
-- seals end alike, so a worker that knows it knows the connection.
-- Called again with the same nonce (a retried command) it gives the same answer.
local id, worker, nonce, lease_ms, oldest_doorbell, clock = unpack(ARGV, 1, 6)
local last, checked, body = unpack(redis.call('MGET', K.clock, K.checked_run, K.body .. id))
local now, leapt = time_after(last, clock)
if leapt then return {'refused', 'clock_leapt'} end
if not is_this_run(checked) then return {'refused', 'unchecked'} end

local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if job.state ~= 'dispatched' then return {'refused', job.state} end
if job.nonce and job.nonce ~= nonce then return {'refused', 'claimed'} end

if not job.nonce then
  if now - tonumber(job.dispatched_at) > tonumber(oldest_doorbell) then
    -- rarely
    free_slots(id, job, now)
    put_ready(id, job, now)
    return {'refused', 'stale'}
  end
  local lease = text(now + tonumber(lease_ms))
  job.fence = text(tonumber(job.fence) + 1)
  redis.call('HSET', K.job .. id, 'fence', job.fence, 'nonce', nonce, 'worker', worker, 'lease', lease)
  redis.call('ZADD', K.due, lease, id)
  redis.call('SREM', K.ringing, id)
  redis.call('HDEL', K.progress, 'rung')
end

local box, project = K.mailbox .. job.mailbox, K.project .. job.project
local strikes, project_strikes
if redis.call('EXISTS', box, project) > 0 then
  strikes, project_strikes = redis.call('HGET', box, 'strikes'), redis.call('HGET', project, 'strikes')
end

local sealed, SEAL = redis.pcall('HGET', K.connection .. job.connection, 'sealed'), 16
local seal = type(sealed) == 'string' and string.sub(sealed, -SEAL) or ''

local answer = {'claimed', job.fence, body or '', seal, 'strikes', strikes or '0',
  'project_strikes', project_strikes or '0'}
local function tell(name)
  if job[name] then
    answer[#answer + 1] = name
    answer[#answer + 1] = job[name]
  end
end
for _, name in ipairs({'tenant', 'connection', 'campaign', 'enqueued_at', 'expires_at', 'attempt', 'failures',
  'reason', 'possible_duplicate', 'leave_at'}) do
  tell(name)
end
tell('attempt:' .. job.attempt)
return answer
