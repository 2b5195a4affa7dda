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

-- Append an event. `fields` is a flat list of names and values.
local function append(now, kind, fields)
  return redis.call('XADD', K.events, '*', 'type', kind, 'at', text(now), unpack(fields))
end

-- Append an event; with it the clock is remembered, unless it leapt.
local function emit(now, kind, fields)
  if believed(now) == now then remember_clock(now) end
  return append(now, kind, fields)
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
