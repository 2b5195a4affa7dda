-- The pacer's step: lease one job of each lane whose time has come, as far as workers have room.
-- KEYS  none declared; K.wake, K.lane, K.queue, K.due, K.workers, K.window (zsets), K.lane_info, K.mailbox,
--       K.project, K.pace, K.day, K.job, K.capacity (hashes), K.flying, K.blocked, K.leased, K.ringing,
--       K.paused (sets)
-- ARGV  1 most jobs to lease · 2 doorbell lease ms: how long the doorbell may take to be claimed
--       3 most unanswered doorbells per live worker · 4 clock ms or ''
-- Gives {ms until the next lane may send, or '' if none waits, id, id, …}, or {'stopped', why} when nothing
-- may leave at all.
-- A lease is no event: it proves nothing and returns by itself.
local limit, doorbell_lease, max_unanswered, clock = unpack(ARGV, 1, 4)
limit, doorbell_lease = tonumber(limit), tonumber(doorbell_lease)
max_unanswered = tonumber(max_unanswered)
local now, leapt = read_clock(clock)
if leapt then return {'stopped', 'clock_leapt'} end
if unchecked() then return {'stopped', 'unchecked'} end
if redis.call('SISMEMBER', K.paused, '*') == 1 then return {'stopped', 'paused'} end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', K.workers, '-inf', text(now))) do
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
end
local room = -redis.call('SCARD', K.leased)
for _, capacity in ipairs(redis.call('HVALS', K.capacity)) do room = room + (tonumber(capacity) or 0) end
-- A doorbell that is answered too late was rung in vain: no more are out than workers answer at once.
local unanswered = redis.call('ZCARD', K.workers) * max_unanswered - redis.call('SCARD', K.ringing)
room = math.min(room, limit, unanswered)

-- The oldest job of the lane whose time has not passed.
local function pop(lane)
  while true do
    local id = unpack(redis.call('ZPOPMIN', K.lane .. lane))
    if not id then return nil end
    local job, broken = load_job(id)
    if broken then set_aside(id, now) end
    if job and job.state == 'ready' then
      if tonumber(job.expires_at) > now then return id, job end
      expire(id, job, now)
    end
  end
end

local LANE = {'state', 'mailbox', 'project', 'units_per_minute', 'in_flight', 'send_units', 'per_day',
  'project_units_per_minute', 'project_units_per_day', 'warm_up_days', 'sends_since', 'leased_at', 'tenant'}

local function load_lane(lane)
  local values, info = redis.call('HMGET', K.lane_info .. lane, unpack(LANE)), {}
  for i, field in ipairs(LANE) do
    info[field] = i > 3 and field ~= 'tenant' and tonumber(values[i] or '0') or values[i]
    -- As in a job: a lane that somebody has altered stands still, and no other.
    if i > 3 and field ~= 'tenant' and type(info[field]) ~= 'number' then return {} end
  end
  return info
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

  local meter = meter_of(info.mailbox, info.project)
  local next, units, share, waited = pace_of(meter, info.units_per_minute, now)
  info.next, info.waited, info.step = next, waited, interval(units, share * warmth(info), info.send_units)
  -- Of the lanes of one mailbox the one goes first that went longest ago: part of a millisecond decides.
  if next > now then return next + info.leased_at % 900000 / 1000000 end
  if minute_used(meter, now) >= sends(units, info.send_units) then
    -- The time that it loses by this is made up for: we count more strictly than Google.
    if waited == 0 then redis.call('HSET', K.pace .. meter, 'waited', fine(since)) end
    return minute_frees(meter) or 'slot'
  end
  if day_used(info.mailbox, now) >= math.max(1, math.floor(info.per_day * warmth(info))) then
    -- A request that is under way may give its place in the day back.
    return redis.call('SCARD', K.flying .. info.mailbox) > 0 and 'slot' or day_frees(info.mailbox)
  end
end

local function project_waits(info)
  local project = info.project
  local cooling, probe = unpack(redis.call('HMGET', K.project .. project, 'cooling', 'probe'))
  if (tonumber(cooling or '0') or 0) > now then return tonumber(cooling) end
  local function flies() return redis.call('ZCOUNT', K.window .. project, '+inf', '+inf') > 0 end
  if probe == '1' and flies() then return 'slot' end

  local next, units, share = pace_of(project, info.project_units_per_minute, now)
  info.project_next, info.project_step = next, interval(units, share, info.send_units)
  if next > now then return next end
  if minute_used(project, now) >= sends(units, info.send_units) then
    return minute_frees(project) or 'slot'
  end
  if day_used(project, now) >= sends(info.project_units_per_day, info.send_units) then
    return flies() and 'slot' or day_frees(project)
  end
end

local leased = {}

-- Lease a job. Lateness of our own is made up for, up to a point; `since` is when the lane could send at the
-- earliest.
local function lease(lane, info, id, since)
  local mailbox, project, ends = info.mailbox, info.project, now + doorbell_lease
  redis.call('HSET', K.job .. id, 'state', 'dispatched', 'dispatched_at', text(now), 'lease', text(ends))
  redis.call('HDEL', K.job .. id, 'nonce', 'worker', 'not_before')
  redis.call('ZADD', K.due, text(ends), id)
  redis.call('SADD', K.leased, id)
  redis.call('SADD', K.ringing, id)
  redis.call('HSETNX', K.progress, 'rung', text(now))
  redis.call('SADD', K.flying .. mailbox, id)
  count_in(id, mailbox, project, info.step, info.project_step, now)

  if info.waited > 0 then since = math.min(since, info.waited) end
  local next = math.max(info.next, since, now - LATE) + info.step
  set_next(meter_of(mailbox, project), next)
  set_next(project, math.max(info.project_next, now - LATE) + info.project_step)
  redis.call('HSET', K.lane_info .. lane, 'leased_at', text(now))
  if info.sends_since == 0 then redis.call('HSET', K.lane_info .. lane, 'sends_since', text(now)) end
  redis.call('ZADD', K.wake, fine(next + now % 900000 / 1000000), lane)
  leased[#leased + 1] = id
end

-- Wait for the project, behind those that wait for it already.
local function queue(lane, project, time)
  redis.call('ZREM', K.wake, lane)
  redis.call('ZADD', K.queue .. project, 'NX', text(now), lane)
  if time ~= 'slot' then redis.call('ZADD', K.wake, 'NX', fine(time), PROJECT .. project) end
end

-- One visit may lease one job. `since`: the time that the lane had in `wake` or in the queue; `turn`: what
-- was found of a lane whose turn it is in the project's queue.
local function visit(lane, since, turn)
  local info = turn or load_lane(lane)
  redis.call('ZREM', K.wake, lane)
  if info.state ~= 'open' or not info.project or redis.call('ZCARD', K.lane .. lane) == 0 then return end
  if paused(info.tenant) then return end

  local time = mailbox_waits(info, since)
  if time == 'slot' then
    redis.call('SADD', K.blocked .. info.mailbox, lane)
    return
  end
  if time then
    redis.call('ZADD', K.wake, fine(time), lane)
    return
  end

  if not turn then
    if redis.call('EXISTS', K.queue .. info.project) == 1 then return queue(lane, info.project, now) end
    time = project_waits(info)
    if time then return queue(lane, info.project, time) end
  end
  local id = pop(lane)
  if id then lease(lane, info, id, since) end
end

-- The lanes that wait for a project have their turns for as long as it may send.
local function visit_project(project)
  while #leased < room do
    local lane, since = unpack(redis.call('ZRANGE', K.queue .. project, 0, 0, 'WITHSCORES'))
    if not lane then break end
    local info = load_lane(lane)
    local time = info.project == project and project_waits(info)
    if time == 'slot' then break end
    if time then
      redis.call('ZADD', K.wake, fine(time), PROJECT .. project)
      return
    end
    redis.call('ZREM', K.queue .. project, lane)
    visit(lane, tonumber(since), info.project == project and info)
  end
  if #leased < room then redis.call('ZREM', K.wake, PROJECT .. project) end
end

local visits = 0
while #leased < room and visits < 4 * limit do
  local lanes =
    redis.call('ZRANGEBYSCORE', K.wake, '-inf', text(now), 'WITHSCORES', 'LIMIT', 0, room - #leased)
  if #lanes == 0 then break end
  for i = 1, #lanes, 2 do
    if #leased >= room then break end
    visits = visits + 1
    local name, since = lanes[i], lanes[i + 1]
    if begins_with(name, PROJECT) then
      visit_project(string.sub(name, #PROJECT + 1))
    else
      visit(name, tonumber(since))
    end
  end
end

local _, next_visit = unpack(redis.call('ZRANGE', K.wake, 0, 0, 'WITHSCORES'))
local answer = {next_visit and text(math.max(tonumber(next_visit) - now, 0)) or ''}
for _, id in ipairs(leased) do answer[#answer + 1] = id end
return answer
