-- Forget reminders that have ended sooner than they say, and at once what is on record of them: whoever
-- planned them keeps there what became of each, and never enqueues it again.
-- KEYS  none declared; K.job, K.taken (hashes), K.dedupe (string)
-- ARGV  1 how long each is kept from now on, ms; then their ids
-- Gives how many of them are known and have ended; the others stay as they are. Called again it changes
-- nothing more.
local keep = unpack(ARGV, 1, 1)
local FIRST, ended = 2, 0

-- It counts no more among what its tenant has.
local function count_out_of_tenant(id, job)
  if job.uncounted then return end
  redis.call('HSET', K.job .. id, 'uncounted', '1')
  local key, day = K.taken .. job.tenant, text(math.floor(tonumber(job.enqueued_at) / DAY))
  local of_day = redis.pcall('HGET', key, day)
  if type(of_day) == 'string' and tonumber(of_day) > 0 then
    redis.call('HINCRBY', key, day, -1)
    redis.call('HINCRBY', key, 'all', -1)
  end
end

-- What late news of a request asks for stays, and that it is there.
local ON_RECORD = {'kind', 'send_at', 'dispatched_at', 'begun_at', 'begun_by', 'resend'}
local function shorten(id, job)
  redis.call('HDEL', K.job .. id, unpack(ON_RECORD))
  for n = 1, tonumber(job.attempt) do redis.call('HDEL', K.job .. id, 'attempt:' .. n) end
end

for at = FIRST, #ARGV do
  local id = unpack(ARGV, at, at)
  local job = load_job(id)
  if job and is_final(job) then
    ended = ended + 1
    count_out_of_tenant(id, job)
    shorten(id, job)
    if redis.call('PTTL', K.job .. id) > tonumber(keep) then
      redis.call('PEXPIRE', K.job .. id, keep)
      local owner = redis.call('GET', K.dedupe .. job.dedupe)
      if owner and string.match(owner, '^([^|]+)|') == id then
        redis.call('PEXPIRE', K.dedupe .. job.dedupe, keep)
      end
    end
  end
end
return ended
