-- Say what a lane has to send and how fast it may, for the forecast.
-- KEYS  none declared; reads K.lane_info, K.lane, K.mailbox, K.project, K.pace, K.day, K.lanes, K.paused
-- ARGV  1 connection · 2 clock ms or ''
-- Gives {} for an unknown lane, else {state, ready jobs, sends a minute at its pace of now, no send before ms, sends since ms or 0,
-- days of warming up, messages a day, {counted, until ms, …} of the last day, project, its lanes, its sends a minute, no send of it before ms,
-- its sends a day, of those used, the lane's place in its queue: from 0, the front, to 1, and all
-- unfinished jobs}.
local info = redis.call('HMGET', K.lane_info .. ARGV[1], 'state', 'mailbox', 'project', 'units_per_minute', 'send_units', 'per_day',
  'project_units_per_minute', 'warm_up_days', 'sends_since', 'project_units_per_day', 'tenant')
if not info[1] or not info[3] then return {} end
if paused(info[11]) then info[1] = 'paused' end
local now = believed((read_clock(ARGV[2])))
local mailbox, project, send_units = info[2], info[3], tonumber(info[5])

local function speed(meter, key, units)
  local next, allowed, share = pace_of(meter, units, now)
  return fine(allowed * share * PACE / send_units), fine(math.max(next, tonumber(redis.call('HGET', key, 'cooling') or '0') or 0))
end

local rank = redis.call('ZRANK', K.queue .. project, ARGV[1])
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
local pace, not_before = speed(meter_of(mailbox, project), K.mailbox .. mailbox, tonumber(info[4]))
local all_pace, all_not_before = speed(project, K.project .. project, tonumber(info[7]))
return {info[1], redis.call('ZCARD', K.lane .. ARGV[1]), pace, not_before, info[9] or '0', info[8], info[6], day, project,
  redis.call('SCARD', K.lanes .. project), all_pace, all_not_before, sends(tonumber(info[10]), send_units), day_used(project, now), fine(place), redis.call('ZCARD', K.due)}
