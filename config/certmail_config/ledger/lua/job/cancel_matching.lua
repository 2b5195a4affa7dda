-- Call off the unfinished reminders of a tenant, or of one of its campaigns or connections: some of them for
-- each call.
-- KEYS  none declared; K.due (zset), and what cancel.lua touches
-- ARGV  1 cursor, '0' at first · 2 about how many jobs to look at · 3 tenant · 4 campaign or ''
--       5 connection or '' · 6 reason · 7 clock ms or ''
-- Gives {next cursor, '0' at the end, how many were cancelled, already sending, uncertain}. What is enqueued
-- meanwhile may stay.
local cursor, look_at, tenant, campaign, connection, reason, clock = unpack(ARGV, 1, 7)
local now = read_clock(clock)

local function matches(id)
  local its_tenant, its_campaign, its_connection =
    unpack(redis.pcall('HMGET', K.job .. id, 'tenant', 'campaign', 'connection'))
  return its_tenant == tenant and (campaign == '' or its_campaign == campaign)
    and (connection == '' or its_connection == connection)
end

local next_cursor, page = unpack(redis.call('ZSCAN', K.due, cursor, 'COUNT', look_at))
local counts = {cancelled = 0, already_sending = 0, uncertain = 0, already_final = 0, unknown = 0}
for i = 1, #page, 2 do
  local id = page[i]
  if matches(id) then
    local answer = cancel(id, reason, now)
    counts[answer] = counts[answer] + 1
  end
end
return {next_cursor, counts.cancelled, counts.already_sending, counts.uncertain}
