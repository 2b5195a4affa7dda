-- Say what the other lanes of a project have to send, some of them for each call.
-- KEYS  none declared; reads K.lanes, K.lane_info, K.lane, K.pace, K.day, K.paused
-- ARGV  1 project · 2 cursor, '0' at first · 3 about how many lanes to look at · 4 a lane to leave out
--       5 clock ms or ''
-- Gives {next cursor, '0' at the end, jobs, sends a minute, jobs, sends a minute, …} of open lanes that have
-- some; no more jobs than their day has left.
local project, cursor, look_at, but, clock = unpack(ARGV, 1, 5)
local now = believed((read_clock(clock)))

local next_cursor, lanes = unpack(redis.call('SSCAN', K.lanes .. project, cursor, 'COUNT', look_at))
local found = {next_cursor}
for _, lane in ipairs(lanes) do
  local waiting = lane ~= but and redis.call('ZCARD', K.lane .. lane) or 0
  if waiting > 0 then
    local state, mailbox, units_per_minute, send_units, per_day, tenant = unpack(redis.call('HMGET',
      K.lane_info .. lane, 'state', 'mailbox', 'units_per_minute', 'send_units', 'per_day', 'tenant'))
    if state == 'open' and not paused(tenant) then
      local _, units, share = pace_of(meter_of(mailbox, project), tonumber(units_per_minute), now)
      local left = math.max(0, tonumber(per_day) - day_used(mailbox, now))
      found[#found + 1] = math.min(waiting, left)
      found[#found + 1] = fine(units * share * PACE / tonumber(send_units))
    end
  end
end
return found
