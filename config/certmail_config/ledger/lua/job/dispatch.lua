-- The pacer's step: lease one job of each lane whose time has come, as far as workers have room.
-- KEYS  none declared; K.wake, K.lane, K.queue, K.due, K.workers, K.window (zsets), K.lane_info, K.mailbox,
--       K.project, K.pace, K.day, K.job, K.capacity (hashes), K.flying, K.blocked, K.leased, K.ringing,
--       K.paused (sets)
-- ARGV  1 most jobs to lease · 2 doorbell lease ms: how long the doorbell may take to be claimed
--       3 how many doorbells may be unanswered for each live worker · 4 how many in all, where that is more
--       5 clock ms or ''
-- Gives {ms until the next lane may send, or '' if none waits, unanswered doorbells, id, id, …}, or
-- {'stopped', why} when nothing may leave at all.
-- A lease is no event: it proves nothing and returns by itself.
-- What concerns all the jobs of a call (the clock, pauses, their project) is read once, and what they share
-- is written once: see flush.
local limit, doorbell_lease, per_worker, in_all, clock = unpack(ARGV, 1, 5)
limit, doorbell_lease = tonumber(limit), tonumber(doorbell_lease)
per_worker, in_all = tonumber(per_worker), tonumber(in_all)
local last, checked = unpack(redis.call('MGET', K.clock, K.checked_run))
local now, leapt = time_after(last, clock)
if leapt then return {'stopped', 'clock_leapt'} end
if not is_this_run(checked) then return {'stopped', 'unchecked'} end
local any_paused = redis.call('EXISTS', K.paused) == 1
if any_paused and redis.call('SISMEMBER', K.paused, '*') == 1 then return {'stopped', 'paused'} end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', K.workers, '-inf', text(now))) do
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
end
local room = -redis.call('SCARD', K.leased)
for _, capacity in ipairs(redis.call('HVALS', K.capacity)) do room = room + (tonumber(capacity) or 0) end
-- A doorbell that is answered too late was rung in vain: no more are out than workers answer at once.
local ringing = redis.call('SCARD', K.ringing)
room = math.min(room, limit, math.max(redis.call('ZCARD', K.workers) * per_worker, in_all) - ringing)

local at, ends, slot = text(now), text(now + doorbell_lease), math.floor(now / SLOT)
-- Of lanes of one mailbox the one goes first that went longest ago: part of a millisecond decides.
local tie = now % 900000 / 1000000
local leased = {}
-- What is yet to be written: jobs, and scores with members of zsets.
local new, due, wake = {}, {}, {}
-- By project: what was found of it, and its jobs that are yet to be written.
local projects = {}
-- Projects of which this call has leased.
local leased_of = {}
-- How many this call has sent into projects' queues.
local queued = 0

local function put(list, score, member)
  list[#list + 1] = score
  list[#list + 1] = member
end

local function flush_wake()
  if #wake > 0 then redis.call('ZADD', K.wake, unpack(wake)) end
  wake = {}
end

-- Write all of it, and know nothing more of any project.
local function flush()
  flush_wake()
  local jobs, times, found = new, due, projects
  new, due, projects = {}, {}, {}
  if #jobs > 0 then
    redis.call('ZADD', K.due, unpack(times))
    redis.call('SADD', K.leased, unpack(jobs))
    redis.call('SADD', K.ringing, unpack(jobs))
    redis.call('HSETNX', K.progress, 'rung', at)
  end
  for project, whole in pairs(found) do
    if #whole.places > 0 then
      take_places(project, whole, whole.places, now)
      take_of_day(project, slot, whole.day, #whole.places / 2)
    end
  end
end

-- The oldest job of the lane whose time has not passed.
local function pop(lane)
  while true do
    local id = unpack(redis.call('ZPOPMIN', K.lane .. lane))
    if not id then return nil end
    local job, broken = load_job(id)
    if broken then
      -- rarely
      flush()
      set_aside(id, now)
    end
    if job and job.state == 'ready' then
      if tonumber(job.expires_at) > now then return id, job end
      -- rarely
      expire(id, job, now)
    end
  end
end

-- A lane as a table. As with a job: one that somebody has altered stands still, and no other.
local function load_lane(lane)
  local state, mailbox, project, tenant, in_flight, warm_up_days, sends_since, leased_at, units, send_units,
    project_units, per_day, project_per_day = unpack(redis.call('HMGET', K.lane_info .. lane, 'state',
    'mailbox', 'project', 'tenant', 'in_flight', 'warm_up_days', 'sends_since', 'leased_at', unpack(LIMITS)))
  local info = {
    state = state, mailbox = mailbox, project = project, tenant = tenant,
    limits = limits_of(units, send_units, project_units, per_day, project_per_day),
    mailbox_limits = limits_of(units, send_units, per_day),
    project_limits = limits_of(project_units, send_units, project_per_day),
    in_flight = tonumber(in_flight or '0'), warm_up_days = tonumber(warm_up_days or '0'),
    sends_since = tonumber(sends_since or '0'), leased_at = tonumber(leased_at or '0'),
    units_per_minute = tonumber(units or '0'), send_units = tonumber(send_units or '0'),
    project_units_per_minute = tonumber(project_units or '0'), per_day = tonumber(per_day or '0'),
    project_units_per_day = tonumber(project_per_day or '0'),
  }
  if info.in_flight and info.warm_up_days and info.sends_since and info.leased_at and info.units_per_minute
    and info.send_units and info.project_units_per_minute and info.per_day and info.project_units_per_day then
    return info
  end
  return {}
end

-- The share of its pace and of its day that a new mailbox uses: a little more each day.
local function warmth(info)
  if info.warm_up_days == 0 then return 1 end
  local days = info.sends_since > 0 and math.floor((now - info.sends_since) / DAY) or 0
  return math.min(1, (days + 1) / (info.warm_up_days + 1))
end

-- What a lane, or the whole of its project, waits for: a time (ms), or 'slot' if a request has to end first;
-- nil: it may send.
local function mailbox_waits(info, since)
  local cooling, probe, places, places_at =
    unpack(redis.call('HMGET', K.mailbox .. info.mailbox, 'cooling', 'probe', 'places', 'places_at'))
  if (tonumber(cooling or '0') or 0) > now then return tonumber(cooling) end
  places = probe == '1' and 1 or places_of(info.in_flight, places, places_at, now)
  if redis.call('SCARD', K.flying .. info.mailbox) >= places then return 'slot' end

  local meter, warm = meter_of(info.mailbox, info.project), warmth(info)
  local next, units, share, waited, kept = pace_of(meter, info.units_per_minute, now)
  if next > now then return next + info.leased_at % 900000 / 1000000 end
  local allowed = sends(units, info.send_units)
  local used = minute_used(meter, now, allowed)
  if used >= allowed then
    -- The time that it loses by this is made up for: we count more strictly than Google.
    if waited == 0 then redis.call('HSET', K.pace .. meter, 'waited', fine(since)) end
    return minute_frees(meter) or 'slot'
  end
  local day = day_of(info.mailbox, slot, now)
  if day.total >= math.max(1, math.floor(info.per_day * warm)) then
    -- A request that is under way may give its place in the day back.
    return redis.call('SCARD', K.flying .. info.mailbox) > 0 and 'slot' or day_frees(info.mailbox)
  end
  info.step = interval(units, share * warm, info.send_units)
  info.box = {next = next, waited = waited, kept = kept, used = used, empty = used == 0, day = day}
end

-- What is known of a project: with what this call has leased of it.
local function project_of(project)
  local whole = projects[project]
  if not whole then
    local cooling, probe = unpack(redis.call('HMGET', K.project .. project, 'cooling', 'probe'))
    local next, told, share, waited, kept = pace_of(project, math.huge, now)
    local used = minute_used(project, now, 0)
    whole = {
      cooling = tonumber(cooling or '0') or 0, probes = probe == '1', next = next, told = told, share = share,
      waited = waited, kept = kept, used = used, empty = used == 0, day = day_of(project, slot, now),
      queued = redis.call('EXISTS', K.queue .. project) == 1, places = {},
    }
    projects[project] = whole
  end
  return whole
end

local function flies(project)
  flush()
  return redis.call('ZCOUNT', K.window .. project, '+inf', '+inf') > 0
end

local function project_waits(info)
  local project, whole = info.project, project_of(info.project)
  if whole.cooling > now then return whole.cooling end
  if whole.probes and flies(project) then return 'slot' end

  local units = math.min(info.project_units_per_minute, whole.told)
  info.project_step = interval(units, whole.share, info.send_units)
  if whole.next > now then return math.max(whole.next, leased_of[project] and now + GATHER or 0) end
  if whole.used >= sends(units, info.send_units) then
    flush()
    return minute_frees(project) or 'slot'
  end
  if whole.day.total >= sends(info.project_units_per_day, info.send_units) then
    return flies(project) and 'slot' or day_frees(project)
  end
end

-- One more is taken of what was found of a mailbox or project; `key` is for those who were leased by other
-- limits before.
local function take(found, limits, key)
  if found.day.limits and found.day.limits ~= limits then look_again(key, now) end
  found.day.limits, found.used, found.day.total = limits, found.used + 1, found.day.total + 1
end

-- When a job that is leased now might have left, as far as pace, quota and Google's pauses go: for workers,
-- who tell how late it begins. That an operator let nothing leave is no lateness.
local PUNCTUAL = 2000
local resumed_at
local function might_leave(since)
  if now - since > PUNCTUAL then
    if not resumed_at then
      local found = redis.pcall('HGET', K.progress, 'resumed')
      resumed_at = type(found) == 'string' and fits(found, '^%d+$') and tonumber(found) or 0
    end
    since = math.max(since, resumed_at)
  end
  return text(math.min(now, math.max(0, since)))
end

-- Lease a job. Lateness of our own is made up for, up to a point; `since` is when the lane could send at the
-- earliest, and `turn_since` its project, where it waited for that.
local function lease(lane, info, id, job, since, turn_since)
  local mailbox, project, box, whole = info.mailbox, info.project, info.box, project_of(info.project)
  leased[#leased + 1], new[#new + 1] = id, id
  put(due, ends, id)
  redis.call('HSET', K.job .. id, 'state', 'dispatched', 'dispatched_at', at, 'lease', ends,
    'mailbox', mailbox, 'project', project, 'day', text(slot), 'step', fine(info.step),
    'project_step', fine(info.project_step), 'limits', info.limits,
    'leave_at', might_leave(math.max(since, turn_since or 0)))
  if job.nonce or job.worker or job.not_before then
    redis.call('HDEL', K.job .. id, 'nonce', 'worker', 'not_before')
  end
  redis.call('SADD', K.flying .. mailbox, id)

  if box.waited > 0 then since = math.min(since, box.waited) end
  box.next = math.max(box.next, since, now - LATE) + info.step
  take_places(meter_of(mailbox, project), box, {'+inf', id}, now)
  take(box, info.mailbox_limits, K.mailbox .. mailbox)
  take_of_day(mailbox, slot, box.day, 1)
  put(whole.places, '+inf', id)
  leased_of[project] = true
  whole.next = tonumber(fine(math.max(whole.next, now - LATE) + info.project_step))
  take(whole, info.project_limits, K.project .. project)

  if info.sends_since == 0 then
    redis.call('HSET', K.lane_info .. lane, 'leased_at', at, 'sends_since', at)
  else
    redis.call('HSET', K.lane_info .. lane, 'leased_at', at)
  end
  put(wake, fine(box.next + tie), lane)
end

-- Wait for the project, behind those that wait for it already: of those who come in one call too, or the
-- same names would always go last.
local function queue(lane, project, time)
  queued = queued + 1
  redis.call('ZREM', K.wake, lane)
  redis.call('ZADD', K.queue .. project, 'NX', fine(now + math.min(queued, 999) / 1000), lane)
  if projects[project] then projects[project].queued = true end
  if time ~= 'slot' then redis.call('ZADD', K.wake, 'NX', fine(time), PROJECT .. project) end
end

-- One visit may lease one job. `since`: the time that the lane had in `wake` or in the queue; `turn`: what
-- was found of a lane whose turn it is in the project's queue, and `turn_since` the time that this had in
-- `wake`.
local function visit(lane, since, turn, turn_since)
  local info = turn or load_lane(lane)
  if info.state ~= 'open' or not info.project or redis.call('ZCARD', K.lane .. lane) == 0
    or any_paused and paused(info.tenant) then
    redis.call('ZREM', K.wake, lane)
    return
  end

  local time = mailbox_waits(info, since)
  if time == 'slot' then
    redis.call('ZREM', K.wake, lane)
    redis.call('SADD', K.blocked .. info.mailbox, lane)
    return
  end
  if time then
    redis.call('ZADD', K.wake, fine(time), lane)
    return
  end

  if not turn then
    if project_of(info.project).queued then return queue(lane, info.project, now) end
    time = project_waits(info)
    if time then return queue(lane, info.project, time) end
  end
  local id, job = pop(lane)
  if not id then
    redis.call('ZREM', K.wake, lane)
    return
  end
  lease(lane, info, id, job, since, turn_since)
end

-- The lanes that wait for a project have their turns for as long as it may send.
local function visit_project(project, turn_since)
  while #leased < room do
    local lane, since = unpack(redis.call('ZRANGE', K.queue .. project, 0, 0, 'WITHSCORES'))
    if not lane then
      if projects[project] then projects[project].queued = false end
      break
    end
    local info = load_lane(lane)
    local time = info.project == project and project_waits(info)
    if time == 'slot' then break end
    if time then
      redis.call('ZADD', K.wake, fine(time), PROJECT .. project)
      return
    end
    redis.call('ZREM', K.queue .. project, lane)
    visit(lane, tonumber(since), info.project == project and info, turn_since)
  end
  if #leased < room then redis.call('ZREM', K.wake, PROJECT .. project) end
end

local function visit_all()
  local visits = 0
  while #leased < room and visits < 4 * limit do
    flush_wake()
    local lanes =
      redis.call('ZRANGEBYSCORE', K.wake, '-inf', at, 'WITHSCORES', 'LIMIT', 0, room - #leased)
    if #lanes == 0 then break end
    for i = 1, #lanes, 2 do
      if #leased >= room then break end
      visits = visits + 1
      local name, since = lanes[i], lanes[i + 1]
      if begins_with(name, PROJECT) then
        visit_project(string.sub(name, #PROJECT + 1), tonumber(since))
      else
        visit(name, tonumber(since))
      end
    end
  end
end

-- Whatever stops it: what it has leased is leased.
local done, failure = pcall(visit_all)
flush()
if not done then error(failure, 0) end

local _, next_visit = unpack(redis.call('ZRANGE', K.wake, 0, 0, 'WITHSCORES'))
local answer = {next_visit and text(math.max(tonumber(next_visit) - now, 0)) or '', text(ringing + #leased)}
for _, id in ipairs(leased) do answer[#answer + 1] = id end
return answer
