-- Create a lane, or change the limits and mailbox of one; whether it is open is not changed here.
-- KEYS  none declared; K.lane_info (hash)
-- ARGV  1 connection · 2 tenant · 3 mailbox id or '' · 4 units per minute · 5 units of one send · 6 in flight
--       7 version · 8 code · 9 message: why a new lane is suspended · 10 '1' if unknown outcomes can be looked up
-- Gives 1 if the lane is new, else 0.
local key = K.lane_info .. ARGV[1]
local new = redis.call('EXISTS', key) == 0
redis.call('HSET', key, 'tenant', ARGV[2], 'mailbox', ARGV[3], 'units_per_minute', ARGV[4], 'send_units', ARGV[5], 'in_flight', ARGV[6],
  'verify', ARGV[10])
if new then redis.call('HSET', key, 'state', 'suspended', 'version', ARGV[7], 'code', ARGV[8], 'message', ARGV[9]) end
return new and 1 or 0
