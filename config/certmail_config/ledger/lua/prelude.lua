-- What every script shares: time, events, and the moves that several transitions have in common.
-- `K` (the key names) is put before this file by ledger/script.py from keys.py.
-- Units: all times are milliseconds since 1970 on the server's clock.

-- Lua turns 1764000000000 into "1.764e+12"; strings need the digits.
local function text(number) return string.format('%.0f', number) end

-- A clock that is further ahead than this of the time last used is not believed (workers note the time each second).
local LEAP = 60000

-- The ledger's time: the server's, or the one supplied by a test; never earlier than any used before. Second result:
-- whether the clock has leapt ahead. Then nothing may begin, end or expire by it, and it is not remembered.
local function read_clock(supplied)
  local now
  if supplied and supplied ~= '' then
    now = tonumber(supplied)
  else
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  local last = tonumber(redis.call('GET', K.clock) or '0')
  return math.max(now, last), last > 0 and now > last + LEAP
end

local function remember_clock(now) redis.call('SET', K.clock, text(now)) end

-- The time, or the time last used if the clock leapt: it may be put back.
local function believed(now)
  local last = tonumber(redis.call('GET', K.clock) or '0')
  return last > 0 and now > last + LEAP and last or now
end

-- Append an event; with it the clock is remembered, unless it leapt. `fields` is a flat list of names and values.
local function emit(now, kind, fields)
  if believed(now) == now then remember_clock(now) end
  return redis.call('XADD', K.events, '*', 'type', kind, 'at', text(now), unpack(fields))
end

-- Whether nobody has checked yet that this run of the server holds what was recorded: it may have been restored from
-- an older copy, and would send again what has been sent.
local function unchecked()
  return redis.call('GET', K.checked_run) ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- A job's fields as a table, or nil when it is unknown.
local function load_job(id)
  local flat = redis.call('HGETALL', K.job .. id)
  if #flat == 0 then return nil end
  local job = {}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

local FINAL = {accepted = true, failed = true, cancelled = true, suppressed = true, expired = true}

local function is_final(job) return FINAL[job.state] == true end

-- Whether a worker holds it, or a doorbell that was rung for it.
local function held(job) return job.state == 'dispatched' or job.state == 'sending' end

-- Lanes are ordered by priority, then by age; both fit a double exactly.
local function lane_score(job) return tonumber(job.priority) * 1e13 + tonumber(job.enqueued_at) end

-- Let the pacer visit a lane that has become ready, unless it has a time already. By a clock that leapt it would sleep
-- for as long once the clock is put right.
local function wake_lane(lane, now)
  if redis.call('HGET', K.lane_info .. lane, 'state') == 'open' then
    redis.call('ZADD', K.wake, 'NX', text(believed(now)), lane)
  end
end

-- Give back the worker's slot and the mailbox's; lanes that waited for it may be visited again.
local function free_slots(id, job, now)
  redis.call('SREM', K.leased, id)
  redis.call('SREM', K.ringing, id)
  if job.mailbox then
    redis.call('SREM', K.flying .. job.mailbox, id)
    local blocked = redis.call('SMEMBERS', K.blocked .. job.mailbox)
    for _, lane in ipairs(blocked) do wake_lane(lane, now) end
    redis.call('DEL', K.blocked .. job.mailbox)
  end
end

-- It is known again, or nobody will look any more.
local function stop_looking(id) redis.call('ZREM', K.unsure, id) end

-- Into the lane; looked at again when its time passes.
local function put_ready(id, job, now)
  stop_looking(id)
  redis.call('HSET', K.job .. id, 'state', 'ready')
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'would_be')
  redis.call('ZADD', K.due, job.expires_at, id)
  redis.call('ZADD', K.lane .. job.connection, lane_score(job), id)
  wake_lane(job.connection, now)
end

-- Not before `at`; never later than the end of its own time.
local function put_scheduled(id, job, at)
  stop_looking(id)
  redis.call('HSET', K.job .. id, 'state', 'scheduled', 'not_before', text(at))
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'would_be')
  redis.call('ZADD', K.due, text(math.min(at, tonumber(job.expires_at))), id)
end

-- Final: the payload goes; id, key, state and reason stay for the time that the job carries.
local function forget_payload(id, job)
  stop_looking(id)
  redis.call('ZREM', K.due, id)
  redis.call('ZREM', K.lane .. job.connection, id)
  redis.call('DEL', K.body .. id)
  redis.call('PEXPIRE', K.job .. id, job.keep)
  redis.call('PEXPIRE', K.dedupe .. job.dedupe, job.keep)
end

-- What became of the request is unknown. `at` is when a rule sends it again, or nil to hold it for a person; where the
-- customer allows it, somebody looks among the sent mails from a second on.
local function put_uncertain(id, job, reason, at, now)
  redis.call('ZREM', K.lane .. job.connection, id)
  redis.call('HSET', K.job .. id, 'state', 'uncertain', 'reason', reason, 'held', at and '0' or '1')
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

-- End a job; gives the state that it is in then. One of whose requests nobody knows the outcome ends as `uncertain`,
-- held, whatever stopped its resending: a copy may be out, and the record must not deny it.
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
  redis.call('HDEL', K.job .. id, 'lease', 'nonce', 'worker', 'held', 'not_before', 'would_be')
  forget_payload(id, job)
  return state
end

-- Its time passed while it waited. Gives the state that it is in then.
local function expire(id, job, now)
  local reason = 'its time passed while it waited'
  local state = put_final(id, job, 'expired', reason, now)
  emit(now, 'expired', {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', state == 'uncertain' and '1' or '0'})
  return state
end

-- Call a job off as far as that is possible; gives one word, as cancel.lua says, and the state of a final job.
local function cancel(id, reason, now)
  local job = load_job(id)
  if not job then return 'unknown' end
  if job.state == 'cancelled' then return 'cancelled' end
  if is_final(job) then return 'already_final', job.state end
  if not job.called_off then redis.call('HSET', K.job .. id, 'called_off', reason) end
  if job.state == 'sending' then return 'already_sending' end
  if job.state == 'uncertain' then
    if job.held ~= '1' then
      put_uncertain(id, job, job.reason, nil, now)
      emit(now, 'held', {'job', id, 'tenant', job.tenant, 'state', 'uncertain', 'reason', reason, 'held', '1'})
    end
    return 'uncertain'
  end
  if job.state == 'dispatched' then free_slots(id, job, now) end
  local state = put_final(id, job, 'cancelled', reason, now)
  emit(now, 'cancelled', {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', state == 'uncertain' and '1' or '0'})
  return state
end

local function begins_with(key, prefix) return string.sub(key, 1, #prefix) == prefix end

-- Whether a job belongs into an index: a zset or set of jobs, by its key.
local function belongs(index, id)
  if index == K.due then
    local job = redis.call('HMGET', K.job .. id, 'state', 'finished_at')
    return job[1] and not FINAL[job[1]] and not job[2]
  end
  local values = redis.call('HMGET', K.job .. id, 'state', 'connection', 'mailbox', 'nonce')
  local job = {state = values[1], connection = values[2], mailbox = values[3], nonce = values[4]}
  if not job.state then return false end
  if begins_with(index, K.lane) then return job.state == 'ready' and index == K.lane .. job.connection end
  if index == K.unsure then return job.state == 'uncertain' end
  if index == K.leased then return held(job) end
  if index == K.ringing then return job.state == 'dispatched' and not job.nonce end
  if begins_with(index, K.flying) then return held(job) and index == K.flying .. (job.mailbox or '') end
  return true
end

-- Stop a lane. Only the connection version that was used may be blamed, so that a late answer about the old
-- account cannot stop a relinked one.
local function suspend_lane(lane, version, code, message, now)
  local info = redis.call('HMGET', K.lane_info .. lane, 'state', 'version', 'tenant')
  if not info[1] or info[2] ~= version or info[1] == 'suspended' then return false end
  redis.call('HSET', K.lane_info .. lane, 'state', 'suspended', 'code', code, 'message', message)
  redis.call('ZREM', K.wake, lane)
  emit(now, 'suspended', {'connection', lane, 'tenant', info[3], 'version', version, 'code', code, 'message', message})
  return true
end

-- Let nothing leave a mailbox before `deadline`. A deadline that Google named counts if it is the latest; one of our
-- own back-off counts only for requests begun after the present cool-down was set.
local function cool_mailbox(mailbox, deadline, named, begun_at, reason, now)
  local key = K.mailbox .. mailbox
  local state = redis.call('HMGET', key, 'cooling', 'cooled_at')
  local cooling, cooled_at = tonumber(state[1] or '0'), tonumber(state[2] or '0')
  if not named and begun_at < cooled_at then return end
  if deadline > cooling then
    redis.call('HSET', key, 'cooling', text(deadline), 'cooled_at', text(now), 'cool_reason', reason, 'probe', '1')
    if not named then redis.call('HINCRBY', key, 'strikes', 1) end
    redis.call('PEXPIREAT', key, text(deadline + 3600000))
  end
end
