-- Say of some lanes what waits in them, why, and how much of their limits is used: for metrics.
-- KEYS  none declared; reads K.lane_info, K.mailbox, K.project, K.pace, K.day (hashes), K.lane, K.later,
--       K.window (zsets), K.paused (set)
-- ARGV  1 clock ms or ''; after that: the lanes
-- Gives the time, then for each lane {state, tenant, ready, scheduled, when the first in turn was enqueued or
-- '', mailbox, project, and of each of these two: the part of its minute that is used, the part of its day,
-- '1' while it waits for a time}; state '' where there is no such lane, or it cannot be read.
local clock = unpack(ARGV, 1, 1)
local FIRST_LANE = 2
local now = believed((read_clock(clock)))

local function part(used, allowed) return fine(allowed > 0 and used / allowed or 0) end

-- The part of its minute that is used, of its day, and whether it waits.
local function use_of(meter, key, name, units, send_units, per_day)
  local _, allowed = pace_of(meter, units, now)
  local minute = redis.call('ZCOUNT', K.window .. meter, '(' .. text(now), '+inf')
  local cooling = tonumber(redis.call('HGET', key, 'cooling') or '0') or 0
  return part(minute, sends(allowed, send_units)), part(day_used(name, now), per_day),
    cooling > now and '1' or '0'
end

-- Of each project that was looked at: lanes share it.
local projects = {}
local function use_of_project(project, units, send_units, per_day)
  if not projects[project] then
    projects[project] = {use_of(project, K.project .. project, project, units, send_units,
      sends(per_day, send_units))}
  end
  return unpack(projects[project])
end

-- Lanes are ordered by priority times this, and by age.
local function enqueued(score) return score and text(tonumber(score) % 1e13) or '' end

local function look(lane)
  local state, tenant, mailbox, project, units, send_units, project_units, per_day, project_per_day =
    unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'tenant', 'mailbox', 'project', unpack(LIMITS)))
  if not state then return {''} end
  if paused(tenant) then state = 'paused' end

  local _, score = unpack(redis.call('ZRANGE', K.lane .. lane, 0, 0, 'WITHSCORES'))
  local found = {state, tenant, redis.call('ZCARD', K.lane .. lane), redis.call('ZCARD', K.later .. lane),
    enqueued(score), mailbox or '', project or ''}
  if not mailbox or not project or mailbox == '' or project == '' then return found end

  send_units = tonumber(send_units)
  local minute, day, cooling = use_of(meter_of(mailbox, project), K.mailbox .. mailbox, mailbox,
    tonumber(units), send_units, tonumber(per_day))
  local all_minute, all_day, all_cooling =
    use_of_project(project, tonumber(project_units), send_units, tonumber(project_per_day))
  for _, value in ipairs({minute, day, cooling, all_minute, all_day, all_cooling}) do
    found[#found + 1] = value
  end
  return found
end

local answer = {text(now)}
for at, lane in ipairs(ARGV) do
  if at >= FIRST_LANE then
    -- One lane that somebody has altered hides no other.
    local done, found = pcall(look, lane)
    answer[#answer + 1] = done and found or {''}
  end
end
return answer
