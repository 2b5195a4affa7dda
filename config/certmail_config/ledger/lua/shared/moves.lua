-- The moves that several transitions have in common: into a lane and out of it, to an end, into doubt.

-- Whether an operator lets nothing leave, of this tenant or at all.
local function paused(tenant)
  return redis.call('SISMEMBER', K.paused, '*') == 1 or redis.call('SISMEMBER', K.paused, tenant) == 1
end

-- Lanes are ordered by priority, then by age; both fit a double exactly.
local function lane_score(priority, enqueued_at) return tonumber(priority) * 1e13 + tonumber(enqueued_at) end

-- Let the pacer look at once. One word is enough, and if it cannot be left, the pacer looks by itself soon.
local function wake_pacer()
  if redis.pcall('LLEN', K.pacer_woken) == 0 then redis.call('LPUSH', K.pacer_woken, '') end
end

-- Let the pacer visit an open lane that has become ready, unless it has a time already, or waits for its
-- project; `at` is the time, as text.
local function wake_open_lane(lane, project, at)
  if not redis.call('ZSCORE', K.queue .. project, lane) then
    if redis.call('ZADD', K.wake, 'NX', at, lane) == 1 then wake_pacer() end
  end
end

-- The same, if it is open. By a clock that leapt it would sleep for as long once the clock is put right.
local function wake_lane(lane, now)
  local state, project = unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'project'))
  if state == 'open' then wake_open_lane(lane, project, text(believed(now))) end
end

-- The name under which a project is visited for the lanes that wait for it.
local PROJECT = 'project:'
local function wake_project(project, now)
  if redis.call('ZADD', K.wake, 'NX', text(believed(now)), PROJECT .. project) == 1 then wake_pacer() end
end

-- A request of a mailbox has ended: the lanes that waited for that are visited.
local function wake_blocked(mailbox, now)
  local blocked = redis.call('SMEMBERS', K.blocked .. mailbox)
  if #blocked > 0 then
    redis.call('DEL', K.blocked .. mailbox)
    for _, lane in ipairs(blocked) do wake_lane(lane, now) end
  end
end

-- A request has ended: the lanes that waited for that of its mailbox are visited, and its project.
local function wake_waiting(mailbox, project, now)
  wake_blocked(mailbox, now)
  if redis.call('EXISTS', K.queue .. project) == 1 then wake_project(project, now) end
end

-- A leased job ends, or goes back: its worker's slot is free again, its mailbox's and its project's, and who
-- waited for one of them is visited. `outcome` is what became of its request, if it was begun.
local function free_slots(id, job, now, outcome)
  redis.call('SREM', K.leased, id)
  if not job.nonce then redis.call('SREM', K.ringing, id) end
  if not job.mailbox then return end
  count_out(id, job, outcome, now)
  redis.call('SREM', K.flying .. job.mailbox, id)
  wake_waiting(job.mailbox, job.project, now)
end

-- It is known again, or nobody will look any more.
local function stop_looking(id) redis.call('ZREM', K.unsure, id) end

-- Final: the payload goes; id, key, state and reason stay for the time that the job carries.
local function forget_payload(id, job)
  stop_looking(id)
  redis.call('ZREM', K.due, id)
  redis.call('ZREM', K.lane .. job.connection, id)
  redis.call('ZREM', K.later .. job.connection, id)
  redis.call('DEL', K.body .. id)
  redis.call('PEXPIRE', K.job .. id, job.keep)
  redis.call('PEXPIRE', K.dedupe .. job.dedupe, job.keep)
end

-- What became of the request is unknown. `at` is when a rule sends it again, or nil to hold it for a person;
-- where the customer allows it, somebody looks among the sent mails from a second on.
local function put_uncertain(id, job, reason, at, now)
  redis.call('ZREM', K.lane .. job.connection, id)
  redis.call('ZREM', K.later .. job.connection, id)
  redis.call('HSET', K.job .. id, 'state', 'uncertain', 'reason', reason, 'held', at and '0' or '1')
  -- Since when nobody knows: looking for it in vain proves nothing before it is long ago.
  if job.state ~= 'uncertain' then
    redis.call('HSET', K.job .. id, 'doubted_at', text(believed(now)), 'looked', '0')
  end
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'not_before', 'would_be')
  redis.call('ZADD', K.due, text(at or now + tonumber(job.keep)), id)
  if redis.call('HGET', K.lane_info .. job.connection, 'verify') == '1' then
    redis.call('ZADD', K.unsure, text(now + 1000), id)
  end
end

-- What is known of a job's requests: whether one was accepted, and whether the outcome of one is unknown.
local function copies(job)
  local accepted, unknown = false, false
  for n = 1, tonumber(job.attempt) do
    local outcome = job['outcome:' .. n]
    if outcome == 'accepted' then accepted = true end
    if outcome == 'unknown' then unknown = true end
  end
  return accepted, unknown
end

-- An uncertain job needs a request that somebody can be told about. Where none is on record, since the server
-- forgot it, the next one is presumed: it could have been made, at `since` or as soon as the job was there.
-- Gives what an event says of it.
local function presume(id, job, since)
  local n, at = tonumber(job.attempt), text(math.max(tonumber(since), tonumber(job.enqueued_at)))
  repeat -- beyond those that a worker which lived on has told of
    n = n + 1
    if not job['begun:' .. n] then redis.call('HSET', K.job .. id, 'begun:' .. n, at) end
  until not job['outcome:' .. n]
  job.attempt, job['outcome:' .. n] = text(n), 'unknown'
  redis.call('HSET', K.job .. id, 'attempt', job.attempt, 'outcome:' .. n, 'unknown')
  return {'begun_at', at, 'attempt', job.attempt}
end

-- Whose sent mails to look through for an uncertain job: one that this server never leased has no mailbox
-- yet.
local function name_mailbox(id, job)
  local mailbox, project = unpack(redis.call('HMGET', K.lane_info .. job.connection, 'mailbox', 'project'))
  if job.mailbox or not mailbox then return end
  job.mailbox, job.project = mailbox, project
  redis.call('HSET', K.job .. id, 'mailbox', job.mailbox, 'project', job.project)
end

-- Its payload is lost, in a restore mostly, and it did not leave: the same reminder may be enqueued again.
local function release_key(id, job)
  local owner = redis.call('GET', K.dedupe .. job.dedupe)
  if owner and string.match(owner, '^([^|]+)|') == id then redis.call('DEL', K.dedupe .. job.dedupe) end
  job.dedupe = 'forgotten:' .. id
  redis.call('HSET', K.job .. id, 'dedupe', job.dedupe)
end

-- End a job; gives the state that it is in then. One of whose requests nobody knows the outcome ends as
-- `uncertain`, held, whatever stopped its resending: a copy may be out, and the record must not deny it.
local function put_final(id, job, state, reason, now)
  local accepted, unknown = copies(job)
  if unknown and not accepted and state ~= 'accepted' then
    local doubt = reason .. '; what became of an earlier request is unknown'
    if job.state == 'uncertain' and job.finished_at then -- closed before, and stays so
      redis.call('HSET', K.job .. id, 'reason', doubt)
    else
      put_uncertain(id, job, doubt, nil, now)
    end
    redis.call('HSET', K.job .. id, 'would_be', state .. '|' .. reason) -- should the doubt be resolved
    return 'uncertain'
  end

  redis.call('HSET', K.job .. id, 'state', state, 'reason', reason, 'finished_at', text(now))
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'not_before', 'would_be', 'day',
    'wants')
  if job.payload_lost and state == 'failed' then release_key(id, job) end
  forget_payload(id, job)
  return state
end

local REMOVED = 'connection_removed: its connection was removed, so it cannot be sent any more'

local LOST = 'lost: its content was not in the copy that Redis was restored from; enqueue it again'

-- A job that is to wait for its turn, but has no lane to wait in, or no content any more, ends: else nothing
-- would ever send or end it. Gives the state that it is in then, and why; nil where it can wait.
local function end_what_cannot_wait(id, job, now)
  local why, kind = REMOVED, 'orphaned'
  if job.payload_lost then
    why, kind = LOST, 'lost'
  elseif redis.call('EXISTS', K.lane_info .. job.connection) == 1 then
    return nil
  end
  local state = put_final(id, job, 'failed', why, now)
  emit(now, kind, {'job', id, 'tenant', job.tenant, 'state', state, 'reason', why, 'held', held_in(state)})
  return state, why
end

-- Into the lane; looked at again when its time passes. Gives the state that it is in then, and why, if it
-- could not wait.
local function put_ready(id, job, now)
  local state, why = end_what_cannot_wait(id, job, now)
  if state then return state, why end
  stop_looking(id)
  redis.call('ZREM', K.later .. job.connection, id)
  redis.call('HSET', K.job .. id, 'state', 'ready')
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'would_be')
  redis.call('ZADD', K.due, job.expires_at, id)
  redis.call('ZADD', K.lane .. job.connection, lane_score(job.priority, job.enqueued_at), id)
  wake_lane(job.connection, now)
  return 'ready'
end

-- Not before `at`; never later than the end of its own time. Gives what put_ready gives.
local function put_scheduled(id, job, at, now)
  local state, why = end_what_cannot_wait(id, job, now)
  if state then return state, why end
  stop_looking(id)
  redis.call('HSET', K.job .. id, 'state', 'scheduled', 'not_before', text(at))
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'would_be')
  redis.call('ZADD', K.due, text(math.min(at, tonumber(job.expires_at))), id)
  redis.call('ZADD', K.later .. job.connection, text(at), id)
  return 'scheduled'
end

-- Its time passed while it waited. Gives the state that it is in then.
local function expire(id, job, now)
  local reason = 'its time passed while it waited'
  local state = put_final(id, job, 'expired', reason, now)
  emit(now, 'expired',
    {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', held_in(state)})
  return state
end

-- How long its end is kept, ms.
local BROKEN_KEPT = 90 * DAY
local BROKEN = 'job_broken: what Redis holds of it cannot be read'

-- End a job that cannot be read, in a form that can: it leaves every place that its fields name, or each look
-- at all of them would stumble over it. Gives the state that it is in then: if its request may have left,
-- nobody knows what became of it.
local function set_aside(id, now)
  local key = K.job .. id
  local found = redis.pcall('HMGET', key, 'state', 'tenant', 'connection', 'mailbox', 'project', 'dedupe')
  if found.err then redis.call('DEL', key) end
  local before, tenant, connection, mailbox, project, dedupe = unpack(found) -- of an error: nothing
  local state = (before == 'sending' or before == 'uncertain') and 'uncertain' or 'failed'
  tenant, connection, mailbox, project = tenant or '', connection or '', mailbox or '', project or ''

  for _, index in ipairs({K.due, K.unsure, K.lane .. connection, K.later .. connection}) do
    redis.call('ZREM', index, id)
  end
  for _, index in ipairs({K.leased, K.ringing, K.flying .. mailbox}) do redis.call('SREM', index, id) end
  for _, meter in ipairs({meter_of(mailbox, project), project}) do
    redis.call('ZREM', K.window .. meter, id)
  end
  wake_blocked(mailbox, now)

  redis.call('DEL', K.body .. id)
  redis.call('HDEL', key, 'nonce', 'worker', 'would_be', unpack(PERHAPS))
  redis.call('HDEL', key, unpack(FRACTIONS))
  redis.call('HSET', key, 'state', state, 'reason', BROKEN, 'held', held_in(state), 'finished_at', text(now),
    'tenant', tenant, 'connection', connection, 'dedupe', dedupe or 'broken:' .. id, 'enqueued_at', text(now),
    'expires_at', text(now), 'priority', '5', 'attempt', '0', 'fence', '0', 'keep', text(BROKEN_KEPT))
  redis.call('PEXPIRE', key, BROKEN_KEPT)
  emit(now, 'broken', {'job', id, 'tenant', tenant, 'state', state, 'reason', BROKEN, 'held', held_in(state)})
  return state
end

-- Call a job off as far as that is possible, so that it ends as cancelled, or as another state; gives one
-- word, as cancel.lua and withdraw.lua say, and the state of a final job.
local function cancel(id, reason, now, as)
  as = as or 'cancelled'
  local job = load_job(id)
  if not job then return 'unknown' end
  if job.state == as then return as end
  if is_final(job) then return 'already_final', job.state end
  if not job.called_off then
    redis.call('HSET', K.job .. id, 'called_off', reason, 'called_off_as', as)
  end

  if job.state == 'sending' then return 'already_sending' end
  if job.state == 'uncertain' then
    if job.held ~= '1' then
      put_uncertain(id, job, job.reason, nil, now)
      emit(now, 'held',
        {'job', id, 'tenant', job.tenant, 'state', 'uncertain', 'reason', reason, 'held', '1'})
    end
    return 'uncertain'
  end

  if job.state == 'dispatched' then free_slots(id, job, now) end
  local state = put_final(id, job, as, reason, now)
  emit(now, as == 'cancelled' and 'cancelled' or 'withdrawn',
    {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', held_in(state)})
  return state
end

local function begins_with(key, prefix) return string.sub(key, 1, #prefix) == prefix end

-- Whether a job belongs into an index: a zset or set of jobs, by its key.
local function belongs(index, id)
  -- One that ended within the last minute.
  if begins_with(index, K.window) and string.find(id, ':') then return true end

  local values = redis.pcall('HMGET', K.job .. id,
    'state', 'connection', 'mailbox', 'nonce', 'project', 'finished_at')
  if values.err then return false end
  local state, connection, mailbox, nonce, project, finished_at = unpack(values)
  if not state then return false end
  connection, mailbox, project = connection or '', mailbox or '', project or ''
  local leased = is_leased({state = state})

  if index == K.due then return not FINAL[state] and not finished_at end
  if begins_with(index, K.lane) then return state == 'ready' and index == K.lane .. connection end
  if begins_with(index, K.later) then return state == 'scheduled' and index == K.later .. connection end
  if index == K.unsure then return state == 'uncertain' end
  if index == K.leased then return leased end
  if index == K.ringing then return state == 'dispatched' and not nonce end
  if begins_with(index, K.flying) then return leased and index == K.flying .. mailbox end
  if begins_with(index, K.window) then
    local meter = string.sub(index, #K.window + 1)
    return leased and (meter == project or meter == meter_of(mailbox, project))
  end
  return true
end

-- Stop a lane. Only the connection version that was used may be blamed, so that a late answer about the old
-- account cannot stop a relinked one.
local function suspend_lane(lane, version, code, message, now, by)
  local state, used, tenant, project =
    unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'version', 'tenant', 'project'))
  if not state or used ~= version or state == 'suspended' then return false end
  redis.call('HSET', K.lane_info .. lane, 'state', 'suspended', 'code', code, 'message', message)
  redis.call('ZREM', K.wake, lane)
  redis.call('ZREM', K.queue .. project, lane)
  emit(now, 'suspended', {'connection', lane, 'tenant', tenant, 'version', version, 'code', code,
    'message', message, 'by', by or ''})
  return true
end

-- Why reminders of a campaign, or of one reviewer of it, are not wanted: a mark of mark_unwanted.lua's, and
-- what goes on record. Those of WAITS are looked at again after so many ms, which is soon: whoever plans the
-- campaign withdraws them, or lets them go.
local WHY_UNWANTED = {
  complete = 'review_complete: the review was complete before it could leave',
  replaced = 'reviewer_replaced: somebody else reviews in the place of its reviewer',
  withdrawn = 'reviewer_withdrawn: its reviewer is no longer part of the campaign',
  stopped = 'campaign_stopped: its campaign was stopped',
  paused = 'campaign_paused: its campaign is paused',
}
local UNREADABLE = 'campaign_unreadable: whether it is still wanted cannot be read in Redis'
local WAITS, LOOK_AT_PAUSED = {paused = true}, 300000

-- Why a reminder that a campaign planned is not wanted, and whether it is to wait instead of ending; nil
-- where it is wanted. One that tells of several campaigns is wanted for all of them, or not as it is.
local function unwanted(job)
  local why, waits
  for campaign, reviewer in string.gmatch(job.wants, '(%x+):(%x+)') do
    local marks = redis.pcall('HMGET', K.unwanted .. job.tenant .. ':' .. campaign, '*', reviewer)
    if marks.err then return UNREADABLE, true end
    local of_all, of_one = unpack(marks)
    for _, mark in ipairs({of_one or '', of_all or ''}) do
      if WHY_UNWANTED[mark] and not WAITS[mark] then return WHY_UNWANTED[mark], false end
      if WAITS[mark] then why, waits = WHY_UNWANTED[mark], true end
    end
  end
  return why, waits
end

local OUTSIDE_HOURS = 'outside_hours: it could not leave within its hours'

-- Whether the hours in which a planned reminder may leave are over.
local function outside_hours(job, now)
  local closes = string.match(job.wants, '^(%d+) ')
  return closes ~= nil and tonumber(closes) <= now
end

-- Its request was accepted, and meanwhile it was not wanted any more: on record as such.
local function say_overtaken(id, job, attempt, now)
  local why, waits = unwanted(job)
  if not why or waits then return end
  append(now, 'overtaken', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'attempt', attempt,
    'reason', why .. '; its request was under way'})
end

-- Of what a worker says of a request what Redis packs tightly (64 bytes): a hundred thousand reviewers of a
-- campaign have their mails in one day. All of it is in the event, and so on record.
local function in_short(detail)
  local said, known = pcall(cjson.decode, detail)
  if not said or type(known) ~= 'table' then return '{}' end
  local short = {}
  for _, name in ipairs({'gmail_id', 'http_status'}) do
    if type(known[name]) == 'string' or type(known[name]) == 'number' then short[name] = known[name] end
  end
  return next(short) and cjson.encode(short) or '{}'
end
