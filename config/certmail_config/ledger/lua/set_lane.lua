-- Create a lane, or change the limits and mailbox of one; whether it is open is not changed here.
-- KEYS  none declared; K.lane_info (hash), K.lanes, K.blocked (sets), K.queue, K.wake (zsets)
-- ARGV  1 connection · 2 tenant · 3 mailbox id or '' · 4 units per minute · 5 units of one send · 6 in flight
--       7 version · 8 code · 9 message: why a new lane is suspended · 10 '1' if unknown outcomes can be looked up
--       11 project id or '' · 12 messages per day · 13 the project's units per minute · 14 and per day · 15 days of warming up
-- Gives 1 if the lane is new, else 0.
local key = K.lane_info .. ARGV[1]
local new = redis.call('EXISTS', key) == 0
local old = redis.call('HMGET', key, 'mailbox', 'project')
redis.call('SADD', K.lanes .. ARGV[11], ARGV[1])
redis.call('HSET', key, 'tenant', ARGV[2], 'mailbox', ARGV[3], 'units_per_minute', ARGV[4], 'send_units', ARGV[5], 'in_flight', ARGV[6],
  'verify', ARGV[10], 'project', ARGV[11], 'per_day', ARGV[12], 'project_units_per_minute', ARGV[13],
  'project_units_per_day', ARGV[14], 'warm_up_days', ARGV[15])
if new then
  redis.call('HSET', key, 'state', 'suspended', 'version', ARGV[7], 'code', ARGV[8], 'message', ARGV[9])
  return 1
end
-- What it waited for may be no more: the pacer looks at it, and at its project, anew.
local now = read_clock()
local moved = old[2] and 0 or 1 -- a lane from before there were projects is not visited until it has one
if old[1] ~= ARGV[3] then
  redis.call('HDEL', key, 'sends_since') -- another mailbox warms up anew
  moved = moved + redis.call('SREM', K.blocked .. old[1], ARGV[1])
end
if old[2] and old[2] ~= ARGV[11] then
  redis.call('SREM', K.lanes .. old[2], ARGV[1])
  moved = moved + redis.call('ZREM', K.queue .. old[2], ARGV[1])
end
if moved > 0 then wake_lane(ARGV[1], now) end
redis.call('ZADD', K.wake, 'XX', 'LT', text(believed(now)), ARGV[1], text(believed(now)), PROJECT .. ARGV[11])
return 0
