-- Call off the unfinished reminders of a tenant, or of one of its campaigns or connections: some of them for each call.
-- KEYS  none declared; K.due (zset), and what cancel.lua touches
-- ARGV  1 cursor, '0' at first · 2 about how many jobs to look at · 3 tenant · 4 campaign or '' · 5 connection or ''
--       6 reason · 7 clock ms or ''
-- Gives {next cursor, '0' at the end, how many were cancelled, already sending, uncertain}. What is enqueued meanwhile may stay.
local now = read_clock(ARGV[7])
local page = redis.call('ZSCAN', K.due, ARGV[1], 'COUNT', ARGV[2])
local counts = {cancelled = 0, already_sending = 0, uncertain = 0, already_final = 0, unknown = 0}
for i = 1, #page[2], 2 do
  local id = page[2][i]
  local job = redis.pcall('HMGET', K.job .. id, 'tenant', 'campaign', 'connection')
  if job[1] == ARGV[3] and (ARGV[4] == '' or job[2] == ARGV[4]) and (ARGV[5] == '' or job[3] == ARGV[5]) then
    local answer = cancel(id, ARGV[6], now)
    counts[answer] = counts[answer] + 1
  end
end
return {page[1], counts.cancelled, counts.already_sending, counts.uncertain}
