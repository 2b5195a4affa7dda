-- Keep a lane's jobs where they are: the connection of this version does not work.
-- KEYS  none declared; K.lane_info (hash), K.wake (zset), K.events
-- ARGV  1 connection · 2 version · 3 code · 4 message (a second line says what to do) · 5 clock ms or ''
--       6 by whom, '' for certmail itself
-- Gives {'suspended'}, {'already'}, or {'refused', version} when a newer version rules.
local lane, version = ARGV[1], ARGV[2]
local now = read_clock(ARGV[5])
local info = redis.call('HMGET', K.lane_info .. lane, 'state', 'version')
if not info[1] then return {'refused', ''} end
if tonumber(info[2]) > tonumber(version) then return {'refused', info[2]} end
redis.call('HSET', K.lane_info .. lane, 'version', version)
if suspend_lane(lane, version, ARGV[3], ARGV[4], now, ARGV[6]) then return {'suspended'} end
redis.call('HSET', K.lane_info .. lane, 'code', ARGV[3], 'message', ARGV[4])
return {'already'}
