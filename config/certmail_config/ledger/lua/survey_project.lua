-- Say what the other lanes of a project have to send, some of them for each call.
-- KEYS  none declared; reads K.lanes, K.lane_info, K.lane, K.pace, K.day, K.paused
-- ARGV  1 project · 2 cursor, '0' at first · 3 about how many lanes to look at · 4 a lane to leave out · 5 clock ms or ''
-- Gives {next cursor, '0' at the end, jobs, sends a minute, jobs, sends a minute, …} of open lanes that have some; no more jobs than
-- their day has left.
local now = believed((read_clock(ARGV[5])))
local page = redis.call('SSCAN', K.lanes .. ARGV[1], ARGV[2], 'COUNT', ARGV[3])
local found = {page[1]}
for _, lane in ipairs(page[2]) do
  local waiting = lane ~= ARGV[4] and redis.call('ZCARD', K.lane .. lane) or 0
  if waiting > 0 then
    local info = redis.call('HMGET', K.lane_info .. lane, 'state', 'mailbox', 'units_per_minute', 'send_units', 'per_day', 'tenant')
    if info[1] == 'open' and not paused(info[6]) then
      local _, units, share = pace_of(meter_of(info[2], ARGV[1]), tonumber(info[3]), now)
      local left = math.max(0, tonumber(info[5]) - day_used(info[2], now))
      found[#found + 1] = math.min(waiting, left)
      found[#found + 1] = fine(units * share * PACE / tonumber(info[4]))
    end
  end
end
return found
