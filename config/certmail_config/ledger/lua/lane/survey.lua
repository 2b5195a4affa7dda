-- Say what a lane has to send and how fast it may, for the forecast.
-- KEYS  none declared; reads K.lane_info, K.lane, K.mailbox, K.project, K.pace, K.day, K.lanes, K.paused
-- ARGV  1 connection · 2 clock ms or ''
-- Gives {} for an unknown lane, else {state, ready jobs, sends a minute at its pace of now, no send before
-- ms, sends since ms or 0, days of warming up, messages a day, {counted, until ms, …} of the last day,
-- project, its lanes, its sends a minute, no send of it before ms, its sends a day, of those used, the lane's
-- place in its queue: from 0, the front, to 1, and all unfinished jobs}.
local lane, clock = unpack(ARGV, 1, 2)

local state, mailbox, project, units_per_minute, send_units, per_day, project_units_per_minute, warm_up_days,
  sends_since, project_units_per_day, tenant = unpack(redis.call('HMGET', K.lane_info .. lane,
  'state', 'mailbox', 'project', 'units_per_minute', 'send_units', 'per_day', 'project_units_per_minute',
  'warm_up_days', 'sends_since', 'project_units_per_day', 'tenant'))
if not state or not project then return {} end
if paused(tenant) then state = 'paused' end
local now = believed((read_clock(clock)))
send_units = tonumber(send_units)

local function speed(meter, key, units)
  local next, allowed, share = pace_of(meter, tonumber(units), now)
  local cooling = tonumber(redis.call('HGET', key, 'cooling') or '0') or 0
  return fine(allowed * share * PACE / send_units), fine(math.max(next, cooling))
end

local rank = redis.call('ZRANK', K.queue .. project, lane)
local place = rank and (rank + 1) / redis.call('ZCARD', K.queue .. project) or 1

local day = {}
if day_used(mailbox, now) > 0 then
  local found = redis.call('HGETALL', K.day .. mailbox)
  for i = 1, #found, 2 do
    local slot = tonumber(found[i])
    if slot and tonumber(found[i + 1]) > 0 then
      day[#day + 1] = found[i + 1]
      day[#day + 1] = text((slot + 1) * SLOT + DAY)
    end
  end
end

local pace, not_before = speed(meter_of(mailbox, project), K.mailbox .. mailbox, units_per_minute)
local all_pace, all_not_before = speed(project, K.project .. project, project_units_per_minute)
return {state, redis.call('ZCARD', K.lane .. lane), pace, not_before, sends_since or '0', warm_up_days,
  per_day, day, project, redis.call('SCARD', K.lanes .. project), all_pace, all_not_before,
  sends(tonumber(project_units_per_day), send_units), day_used(project, now), fine(place),
  redis.call('ZCARD', K.due)}
