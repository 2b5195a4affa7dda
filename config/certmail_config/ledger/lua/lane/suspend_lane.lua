-- Keep a lane's jobs where they are: the connection of this version does not work.
-- KEYS  none declared; K.lane_info (hash), K.wake (zset), K.events
-- ARGV  1 connection · 2 version · 3 code · 4 message (a second line says what to do) · 5 clock ms or ''
--       6 by whom, '' for certmail itself
-- Gives {'suspended'}, {'already'}, or {'refused', version} when a newer version rules.
local lane, version, code, message, clock, by = unpack(ARGV, 1, 6)
local now = read_clock(clock)

local state, ruling = unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'version'))
if not state then return {'refused', ''} end
if tonumber(ruling) > tonumber(version) then return {'refused', ruling} end

redis.call('HSET', K.lane_info .. lane, 'version', version)
if suspend_lane(lane, version, code, message, now, by) then return {'suspended'} end
redis.call('HSET', K.lane_info .. lane, 'code', code, 'message', message)
return {'already'}
