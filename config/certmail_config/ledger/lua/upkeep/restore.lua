-- Put a job where the record says it is, after this server was restored from an older copy; nothing is paced
-- meanwhile.
-- KEYS  none declared; K.job (hash), K.dedupe (string), K.events, and what the moves touch
-- ARGV  1 id · 2 state: a final one, uncertain (held), or ready if it may still be sent · 3 reason
--       4 attempts, JSON: [{n, begun_at (ms), outcome, detail (JSON)}, …]
--       5 the job if the server does not know it, JSON: tenant, connection, kind, campaign, priority, dedupe,
--       fingerprint, enqueued_at, expires_at, keep (ms), or ''
--       6 if it is held because it could have left unrecorded: since when, ms, else '' · 7 clock ms or ''
-- What becomes uncertain has a request that somebody can be told about: where none is on record, the next one
-- is presumed.
-- The server must be unchecked, so that nothing moves meanwhile. Gives {'checked'} where it is not,
-- {'restored', state, id of a job that was called off because it is the same reminder, or ''}, or
-- {'missing'}.
-- Called again it changes nothing more.
local id, state, reason, attempts, known_job, could_have_left, clock = unpack(ARGV, 1, 7)
local now = read_clock(clock)
if not unchecked() then return {'checked'} end
local duplicate = ''
local job, broken = load_job(id)
if broken then -- it ends in a form that can be read; what the record knows of it still holds
  set_aside(id, now)
  job = load_job(id)
end

-- A job that was enqueued after the copy was made: its payload is lost; what is left is that it must not come
-- twice.
local function remember(given)
  local key = K.dedupe .. given.dedupe
  local owner = redis.call('GET', key)
  local other = owner and string.match(owner, '^([^|]+)|')
  if other and other ~= id then
    if state == 'accepted' or state == 'uncertain' then
      local why = 'it is the same reminder as ' .. id .. ', which Redis had forgotten'
      if cancel(other, why, now) == 'cancelled' then duplicate = other end
    end
    given.dedupe = 'forgotten:' .. id
  elseif state ~= 'failed' then
    redis.call('SET', key, id .. '|' .. given.fingerprint)
  else -- lost: the same reminder may be enqueued again
    given.dedupe = 'forgotten:' .. id
  end

  redis.call('HSET', K.job .. id, 'state', 'ready', 'tenant', given.tenant, 'connection', given.connection,
    'kind', given.kind, 'campaign', given.campaign, 'priority', given.priority, 'send_at', '',
    'expires_at', given.expires_at, 'enqueued_at', given.enqueued_at, 'dedupe', given.dedupe,
    'keep', given.keep, 'fence', '0', 'attempt', '0', 'payload_lost', '1')
  return load_job(id)
end

local known = job ~= nil
if not job then
  if known_job == '' or state == 'ready' then return {'missing'} end
  job = remember(cjson.decode(known_job))
end
if job.state == state and (is_final(job) or job.finished_at) then return {'restored', state, ''} end

free_slots(id, job, now)
local corrected = false
for _, attempt in ipairs(cjson.decode(attempts)) do
  local n = text(attempt.n)
  -- A worker that lived on may have settled it here meanwhile, and knows better than a record that ends
  -- before.
  local outcome = job['outcome:' .. n]
  if outcome and outcome ~= 'unknown' then
    if attempt.outcome == 'unknown' then corrected = true end
    attempt.outcome, attempt.detail = outcome, job['attempt:' .. n] or attempt.detail
  end
  redis.call('HSET', K.job .. id, 'begun:' .. n, attempt.begun_at, 'outcome:' .. n, attempt.outcome,
    'attempt:' .. n, attempt.detail)
  job['outcome:' .. n] = attempt.outcome
  if attempt.n > tonumber(job.attempt) then job.attempt = n end
end
redis.call('HSET', K.job .. id, 'attempt', job.attempt)

local accepted, unknown = copies(job)
if accepted then state, reason = 'accepted', '' end
-- Nothing reopens what has ended here; and of what is known not to have left nobody has to decide anything.
if is_final(job) and state ~= 'accepted' then return {'restored', job.state, ''} end
if state == 'uncertain' and corrected and known and not unknown then state = 'ready' end

local presumed = {}
if state == 'uncertain' then
  local before = job.state == 'uncertain' and job.held == '1'
  name_mailbox(id, job)
  if not unknown then presumed = presume(id, job, could_have_left ~= '' and could_have_left or '0') end
  put_uncertain(id, job, reason, nil, now)
  if could_have_left ~= '' and not before then redis.call('HINCRBY', K.held_back, job.connection, 1) end
elseif state ~= 'ready' then
  state = put_final(id, job, state, reason, now)
elseif job.state ~= 'ready' and job.state ~= 'scheduled' then
  local why
  state, why = put_ready(id, job, now)
  reason = why or reason
else
  state = job.state
end

emit(now, 'restored', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'state', state,
  'reason', reason, 'held', held_in(state), unpack(presumed)})
return {'restored', state, duplicate}
