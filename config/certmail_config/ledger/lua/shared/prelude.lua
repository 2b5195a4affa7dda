-- What every script shares: time, events, and the moves that several transitions have in common.
-- `K` names the keys of redis_keys.py; ledger/assembly.py puts these themselves in its place.
-- Units: all times are milliseconds since 1970 on the server's clock.

-- Lua turns 1764000000000 into "1.764e+12"; strings need the digits.
local function text(number) return string.format('%.0f', number) end

-- A clock that is further ahead than this of the time last used is not believed (workers note the time each
-- second).
local LEAP = 60000

-- The ledger's time: the server's, or the one supplied by a test; never earlier than `last`, the time last
-- used (K.clock). Second result: whether the clock has leapt ahead. Then nothing may begin, end or expire by
-- it, and it is not remembered. Third: the time last used as a number, 0 if there is none.
local function time_after(last, supplied)
  local now
  if supplied and supplied ~= '' then
    now = tonumber(supplied)
  else
    local seconds, micros = unpack(redis.call('TIME'))
    now = tonumber(seconds) * 1000 + math.floor(tonumber(micros) / 1000)
  end

  last = tonumber(last or '0')
  return math.max(now, last), last > 0 and now > last + LEAP, last
end

local function read_clock(supplied) return time_after(redis.call('GET', K.clock), supplied) end

local function remember_clock(now) redis.call('SET', K.clock, text(now)) end

-- The time, or the time last used if the clock leapt: it may be put back.
local function believed(now)
  local last = tonumber(redis.call('GET', K.clock) or '0')
  return last > 0 and now > last + LEAP and last or now
end

-- What is answered for one of several that an error ended.
local function refusal(problem)
  return {err = type(problem) == 'table' and problem.err or tostring(problem)}
end

-- Append an event. `fields` is a flat list of names and values.
local function append(now, kind, fields)
  return redis.call('XADD', K.events, '*', 'type', kind, 'at', text(now), unpack(fields))
end

-- Append an event; with it the clock is remembered, unless it leapt.
local function emit(now, kind, fields)
  if believed(now) == now then remember_clock(now) end
  return append(now, kind, fields)
end

-- Whether this is the run of the server that was checked (K.checked_run).
local function is_this_run(checked)
  return checked and string.find(redis.call('INFO', 'server'), '\nrun_id:' .. checked .. '\r', 1, true) ~= nil
end

-- Whether nobody has checked yet that this run of the server holds what was recorded: it may have been
-- restored from an older copy, and would send again what has been sent.
local function unchecked() return not is_this_run(redis.call('GET', K.checked_run)) end

local FINAL = {accepted = true, failed = true, cancelled = true, suppressed = true, expired = true}

local function is_final(job) return FINAL[job.state] == true end

-- What an event says of a job that is in this state: '1' where it is held for a person.
local function held_in(state) return state == 'uncertain' and '1' or '0' end

-- Whether a worker has it, or a doorbell that was rung for it.
local function is_leased(job) return job.state == 'dispatched' or job.state == 'sending' end

local LIVING = {scheduled = true, ready = true, dispatched = true, sending = true, uncertain = true}
-- Whole numbers that every job has, those that one may have, and of these the ones with a fraction.
local COUNTED = {'expires_at', 'enqueued_at', 'priority', 'attempt', 'fence', 'keep'}
local PERHAPS = {'failures', 'not_before', 'dispatched_at', 'lease', 'begun_at', 'doubted_at', 'day'}
local FRACTIONS = {'step', 'project_step'}
-- More digits than any time or count has, and more attempts than any job makes: those are worked off one by
-- one.
local MAX_DIGITS, MAX_ATTEMPTS = 15, 10000

local function fits(value, form) return #value <= MAX_DIGITS and string.find(value, form) ~= nil end

-- Whether a job is in a form that every script can count on. Only they write jobs; but one that somebody else
-- has altered must harm itself alone, not whoever looks through all of them.
local function sound(job)
  if not (job.tenant and job.connection and job.dedupe) then return false end
  if not (LIVING[job.state] or FINAL[job.state]) then return false end
  for _, name in ipairs(COUNTED) do
    if not job[name] or not fits(job[name], '^%d+$') then return false end
  end
  for _, name in ipairs(PERHAPS) do
    if job[name] and not fits(job[name], '^%d+$') then return false end
  end
  for _, name in ipairs(FRACTIONS) do
    if job[name] and not fits(job[name], '^%d+%.?%d*$') then return false end
  end
  if is_leased(job) and not (job.lease and job.dispatched_at and job.mailbox and job.project) then
    return false
  end
  if job.state == 'sending' and not job.worker then return false end
  return tonumber(job.attempt) <= MAX_ATTEMPTS
end

-- A job's fields as a table, or nil when it is unknown, or not in a form that can be read: then the second
-- result is true.
local function load_job(id)
  local flat = redis.pcall('HGETALL', K.job .. id)
  if flat.err then
    -- A caller without the right to look says nothing of the job.
    if not string.find(flat.err, 'WRONGTYPE', 1, true) then error(flat.err, 0) end
    return nil, true
  end
  if #flat == 0 then return nil end
  local job = {}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  if not sound(job) then return nil, true end
  return job
end
