-- Record what became of one attempt. Never refused, however late: knowing is not fenced, only starting is.
-- KEYS  none declared; K.job, K.mailbox, K.project, K.pace, K.lane_info (hashes), K.due, K.window (zsets),
--       K.tripped (set), K.events, and what the moves touch
-- ARGV  1 id · 2 attempt · 3 outcome (accepted, not_sent, rejected, unknown) · 4 detail JSON for the record
--       5 next state (accepted, failed, ready, scheduled, uncertain) · 6 reason
--       7 at ms: scheduled = not before; uncertain = when a rule sends it again, or '' to hold it
--       8 '1' if the attempt counts for back-off · 9 let nothing leave the mailbox until ms or ''
--       10 '1' if Google named that time · 11 '1' if that is for its whole project
--       12 go slower: units a minute that Google says it allows, 0 if it does not say;
--       'places': fewer at once; or ''
--       13 ms until the next probe if unknown outcomes go on, or '' if this one says nothing about Google
--       14 suspend the lane: code or '' · 15 message (a second line says what to do) · 16 connection version
--       17 clock ms or ''
-- The next state is what the worker asks for; what is known of other requests, or a cancellation, may make it
-- another.
-- Gives {'settled', state} · {'already', state} for a second call · {'unknown'} when the job is long
-- forgotten · {'unchecked'} when the server may have forgotten it: to be said again later.
local id, attempt, outcome, detail, next_state, reason, at_ms, counts, wait_until, wait_named, wait_project,
  slower, probe_in, suspend_code, suspend_message, version, clock = unpack(ARGV, 1, 17)

local now, leapt, last = time_after(redis.call('GET', K.clock), clock)
local job = load_job(id)

local LEFT_AT_THE_END = {'lease', 'nonce', 'worker', 'held', 'not_before', 'would_be', 'day', 'step',
  'project_step', 'limits', 'leave_at', 'wants'}

-- What nearly every mail comes to: its request was accepted, at the first news of it, and nothing else had
-- happened to it. The same as below, in fewer commands: what such a job cannot have is not looked for.
local function is_plain()
  return job and not leapt and outcome == 'accepted' and next_state == 'accepted' and job.state == 'sending'
    and job.attempt == attempt and not job['outcome:' .. attempt] and job.nonce
    and not (job.would_be or job.called_off or job.finished_at or counts == '1')
    and wait_until == '' and slower == '' and probe_in == '' and suspend_code == ''
end

local function settle_plainly()
  local mailbox, project, key = job.mailbox, job.project, K.job .. id
  local told = detail
  if job.wants then
    -- rarely
    told = in_short(detail)
  end
  redis.call('HSET', key, 'outcome:' .. attempt, outcome, 'attempt:' .. attempt, told, 'state', 'accepted',
    'reason', reason, 'finished_at', text(now))
  redis.call('HDEL', key, unpack(LEFT_AT_THE_END))
  redis.call('PEXPIRE', key, job.keep)
  redis.call('PEXPIRE', K.dedupe .. job.dedupe, job.keep)
  redis.call('DEL', K.body .. id)
  redis.call('ZREM', K.due, id)
  redis.call('SREM', K.leased, id)
  redis.call('SREM', K.flying .. mailbox, id)
  keep_in_minute(meter_of(mailbox, project), id, attempt, now)
  keep_in_minute(project, id, attempt, now)

  local box, whole = K.mailbox .. mailbox, K.project .. project
  if redis.call('EXISTS', box, whole, K.tripped .. project, K.blocked .. mailbox, K.queue .. project) > 0 then
    -- rarely
    works(box, now)
    works(whole, now)
    redis.call('DEL', K.tripped .. project)
    wake_waiting(mailbox, project, now)
  end

  if now ~= last then remember_clock(now) end
  append(now, 'settled', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt,
    'outcome', outcome, 'state', 'accepted', 'reason', reason, 'detail', detail, 'held', '0'})
  return {'settled', 'accepted'}
end

if is_plain() then
  local settled = settle_plainly()
  if job.wants then
    -- rarely
    say_overtaken(id, job, attempt, now)
  end
  return settled
end

-- rarely

-- So many unknown outcomes in a row stop a mailbox; so many for each of so many mailboxes stop their project.
local TRIPS = 3

local whole_project = wait_project == '1'

-- One more unknown outcome since the last success; gives how many.
local function count_unknown(key)
  local count = redis.call('HINCRBY', key, 'unknowns', 1)
  if count == 1 and redis.call('PTTL', key) < DAY then redis.call('PEXPIRE', key, DAY) end
  return count
end

-- What the answer says about the mailbox and its project, whatever it says about this job.
local function mind_google(mailbox, project, begun_at)
  local box, whole = K.mailbox .. mailbox, K.project .. project
  local now = believed(now) -- a clock that leapt ends no pause
  if outcome == 'accepted' then
    works(box, now)
    works(whole, now)
    redis.call('DEL', K.tripped .. project)
  end

  if wait_until ~= '' then
    local key, named = whole_project and whole or box, wait_named == '1'
    local new = pause(key, tonumber(wait_until), named, begun_at, reason, now)
    if new and not named then redis.call('HINCRBY', key, 'strikes', 1) end
  end

  if slower == 'places' then
    local configured = redis.call('HGET', K.lane_info .. job.connection, 'in_flight')
    local places = configured and fewer_places(box, tonumber(configured), begun_at, now)
    if places then
      emit(now, 'slowed', {'connection', job.connection, 'tenant', job.tenant, 'scope', 'in_flight',
        'places', text(places), 'reason', reason})
    end
  elseif slower ~= '' then
    local meter = whole_project and project or meter_of(mailbox, project)
    local limit = whole_project and 'project_units_per_minute' or 'units_per_minute'
    local units = redis.call('HGET', K.lane_info .. job.connection, limit)
    -- Late news of a connection that was removed: its limits went with it.
    local share = units and slow_down(meter, tonumber(units), tonumber(slower), begun_at, now)
    if tonumber(slower) > 0 then look_again(whole_project and whole or box, now) end
    if share then
      emit(now, 'slowed', {'connection', job.connection, 'tenant', job.tenant,
        'scope', whole_project and 'project' or 'mailbox', 'share', fine(share), 'reason', reason})
    end
  end

  if probe_in ~= '' then
    local until_ms = now + tonumber(probe_in)
    local why = 'unknown_outcomes: Gmail does not say what becomes of the messages'
    if count_unknown(box) >= TRIPS then pause(box, until_ms, false, begun_at, why, now) end
    -- With thousands of mailboxes it would take thousands of messages until three of them had three.
    redis.call('SADD', K.tripped .. project, mailbox)
    redis.call('PEXPIRE', K.tripped .. project, DAY)
    if count_unknown(whole) >= TRIPS * TRIPS and redis.call('SCARD', K.tripped .. project) >= TRIPS then
      pause(whole, until_ms, false, begun_at, why, now)
    end
  end
end

-- One that a restored server has forgotten: a repair will tell it of it.
if not job then return {unchecked() and 'unchecked' or 'unknown'} end
-- Said before. Only better knowledge may follow: what became of a request whose outcome was unknown.
local earlier = job['outcome:' .. attempt]
if earlier and not (earlier == 'unknown' and outcome ~= 'unknown') then return {'already', job.state} end

redis.call('HSET', K.job .. id, 'outcome:' .. attempt, outcome, 'attempt:' .. attempt, detail)
job['outcome:' .. attempt] = outcome
local begun_at = tonumber(job['begun:' .. attempt] or job.begun_at or '0')
local mailbox, project = job.mailbox, job.project
-- What was reaped as unknown, and never left: its places are free after all.
if earlier and mailbox and outcome == 'not_sent' then
  redis.call('ZREM', K.window .. meter_of(mailbox, project), id .. ':' .. attempt)
  redis.call('ZREM', K.window .. project, id .. ':' .. attempt)
end
-- Leased anew, the place in the day is the next one's.
if earlier and outcome == 'not_sent' and attempt == job.attempt and not is_leased(job) then
  uncount_day(id, job)
end
if mailbox then mind_google(mailbox, project, begun_at) end
if suspend_code ~= '' then suspend_lane(job.connection, version, suspend_code, suspend_message, now) end

local accepted, unknown = copies(job)
local state, at, held = job.state, tonumber(at_ms), job.held or '0'
-- The newest request decides what follows, as long as nothing else has. News of an earlier one that did go
-- out after all calls off a resend, and puts right what was closed without knowing it; a request under way
-- has to end first.
local decides = job.attempt == attempt and (state == 'sending' or state == 'uncertain')
local corrects = outcome == 'accepted' and state ~= 'sending' and state ~= 'accepted'
if job.would_be and not unknown and not accepted then -- the last doubt is resolved: it ends as it would have
  state, reason = string.match(job.would_be, '^(%a+)|(.*)$')
  state, held = put_final(id, job, state, reason, now), '0'
elseif decides or corrects then
  if state == 'sending' or state == 'dispatched' then free_slots(id, job, now, outcome) end
  if counts == '1' then redis.call('HINCRBY', K.job .. id, 'failures', 1) end
  state = next_state
  if accepted and state ~= 'accepted' then state, reason = 'accepted', 'an earlier request was accepted' end

  if job.called_off then -- while the request was under way: what did not go out is not tried again
    at = nil
    -- Where its connection was removed since, that is why.
    local gone = redis.call('EXISTS', K.lane_info .. job.connection) == 0
    if (state == 'ready' or state == 'scheduled') and not gone then
      state, reason = job.called_off_as or 'cancelled', job.called_off
    end
  elseif job.finished_at and (state == 'ready' or state == 'scheduled') then
    state, reason = 'expired', 'its time passed before it was known that it had not gone out'
  end

  local why -- it cannot wait
  if state == 'ready' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    state, why = put_ready(id, job, now)
  elseif state == 'scheduled' then
    redis.call('HSET', K.job .. id, 'reason', reason)
    state, why = put_scheduled(id, job, at, now)
  elseif state == 'uncertain' then
    put_uncertain(id, job, reason, at, now)
  else
    state = put_final(id, job, state, reason, now)
    at = nil
  end
  if why then at, reason = nil, why end
  held = state == 'uncertain' and not at and '1' or '0'
end

emit(now, 'settled', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt,
  'outcome', outcome, 'state', state, 'reason', reason, 'detail', detail, 'held', held})
if job.wants and outcome == 'accepted' then say_overtaken(id, job, attempt, now) end
return {'settled', state}
