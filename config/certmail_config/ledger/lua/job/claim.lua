-- A worker answers the doorbell: it alone now prepares this job.
-- KEYS  none declared; K.job (hash), K.body (string), K.due (zset), K.lane_info (hash), K.ringing (set), and
--       what returning to the lane touches
-- ARGV  1 id · 2 worker · 3 nonce of this call · 4 lease ms · 5 oldest doorbell ms · 6 clock ms or ''
-- Gives {'claimed', fence, body, name, value, …} with the job's fields and the strikes of its mailbox and
-- project, or {'refused', why}.
-- Called again with the same nonce (a retried command) it gives the same answer.
local id, worker, nonce, lease_ms, oldest_doorbell, clock = unpack(ARGV, 1, 6)
local now, leapt = read_clock(clock)
if leapt then return {'refused', 'clock_leapt'} end
if unchecked() then return {'refused', 'unchecked'} end

local job = load_job(id)
if not job then return {'refused', 'unknown'} end
if job.state ~= 'dispatched' then return {'refused', job.state} end
if job.nonce and job.nonce ~= nonce then return {'refused', 'claimed'} end

if not job.nonce then
  if now - tonumber(job.dispatched_at) > tonumber(oldest_doorbell) then
    free_slots(id, job, now)
    put_ready(id, job, now)
    return {'refused', 'stale'}
  end
  local lease = now + tonumber(lease_ms)
  job.fence = text(tonumber(job.fence) + 1)
  redis.call('HSET', K.job .. id, 'fence', job.fence, 'nonce', nonce, 'worker', worker, 'lease', text(lease))
  redis.call('ZADD', K.due, text(lease), id)
  redis.call('SREM', K.ringing, id)
  redis.call('HDEL', K.progress, 'rung')
end

job.strikes = redis.call('HGET', K.mailbox .. job.mailbox, 'strikes') or '0'
job.project_strikes = redis.call('HGET', K.project .. job.project, 'strikes') or '0'
local answer = {'claimed', job.fence, redis.call('GET', K.body .. id) or ''}
for name, value in pairs(job) do
  answer[#answer + 1] = name
  answer[#answer + 1] = value
end
return answer
