-- Create a lane, or change the limits and mailbox of one; whether it is open is not changed here.
-- KEYS  none declared; K.lane_info (hash), K.lanes, K.blocked (sets), K.queue, K.wake (zsets)
-- ARGV  1 connection · 2 tenant · 3 mailbox id or '' · 4 units per minute · 5 units of one send · 6 in flight
--       7 version · 8 code · 9 message: why a new lane is suspended
--       10 '1' if unknown outcomes can be looked up · 11 project id or '' · 12 messages per day
--       13 the project's units per minute · 14 and per day · 15 days of warming up
-- Gives 1 if the lane is new, else 0.
local lane, tenant, mailbox, units_per_minute, send_units, in_flight, version, code, message, verify, project,
  per_day, project_units_per_minute, project_units_per_day, warm_up_days = unpack(ARGV, 1, 15)

local key = K.lane_info .. lane
local new = redis.call('EXISTS', key) == 0
local old_mailbox, old_project = unpack(redis.call('HMGET', key, 'mailbox', 'project'))
redis.call('SADD', K.lanes .. project, lane)
redis.call('HSET', key, 'tenant', tenant, 'mailbox', mailbox, 'units_per_minute', units_per_minute,
  'send_units', send_units, 'in_flight', in_flight, 'verify', verify, 'project', project, 'per_day', per_day,
  'project_units_per_minute', project_units_per_minute, 'project_units_per_day', project_units_per_day,
  'warm_up_days', warm_up_days)
if new then
  redis.call('HSET', key, 'state', 'suspended', 'version', version, 'code', code, 'message', message)
  return 1
end

-- What it waited for may be no more: the pacer looks at it, and at its project, anew.
local now = read_clock()
local moved = old_project and 0 or 1 -- a lane from before there were projects is not visited until it has one
if old_mailbox ~= mailbox then
  redis.call('HDEL', key, 'sends_since') -- another mailbox warms up anew
  moved = moved + redis.call('SREM', K.blocked .. old_mailbox, lane)
end
if old_project and old_project ~= project then
  redis.call('SREM', K.lanes .. old_project, lane)
  moved = moved + redis.call('ZREM', K.queue .. old_project, lane)
end
if moved > 0 then wake_lane(lane, now) end
local at = text(believed(now))
if redis.call('ZADD', K.wake, 'XX', 'LT', 'CH', at, lane, at, PROJECT .. project) > 0 then wake_pacer() end
return 0
