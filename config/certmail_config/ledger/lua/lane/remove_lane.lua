-- Take a lane away with its connection, once nothing waits in it: from then on nothing can be enqueued for
-- it.
-- KEYS  none declared; K.lane, K.later, K.wake, K.queue (zsets), K.leased, K.blocked, K.lanes (sets),
--       K.lane_info, K.held_back (hashes), K.events
-- ARGV  1 connection · 2 clock ms or '' · 3 by whom, '' for certmail itself
-- Gives how many jobs wait in it, for a time, or are leased, and then nothing was changed; 0: it is gone.
-- Uncertain jobs of it stay. Called again it gives the same answer.
local lane, clock, by = unpack(ARGV, 1, 3)
local now = read_clock(clock)

local busy = redis.call('ZCARD', K.lane .. lane) + redis.call('ZCARD', K.later .. lane)
for _, id in ipairs(redis.call('SMEMBERS', K.leased)) do
  if redis.call('HGET', K.job .. id, 'connection') == lane then busy = busy + 1 end
end
if busy > 0 then return busy end

local tenant, mailbox, project =
  unpack(redis.call('HMGET', K.lane_info .. lane, 'tenant', 'mailbox', 'project'))
redis.call('ZREM', K.wake, lane)
redis.call('HDEL', K.held_back, lane)
if not tenant then return 0 end
redis.call('SREM', K.blocked .. (mailbox or ''), lane)
redis.call('ZREM', K.queue .. (project or ''), lane)
redis.call('SREM', K.lanes .. (project or ''), lane)
redis.call('DEL', K.lane_info .. lane)

emit(now, 'removed', {'connection', lane, 'tenant', tenant, 'by', by})
return 0
