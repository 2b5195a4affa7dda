-- Let a lane's jobs leave: the connection of this version works.
-- KEYS  none declared; K.lane_info, K.mailbox (hashes), K.lane, K.wake (zsets), K.events
-- ARGV  1 connection · 2 version · 3 '1' if it did not work before: one job goes first, to probe
--       4 clock ms or '' · 5 by whom, '' for certmail itself
-- Gives {'opened'|'already'}, or {'refused', version} when a newer version rules.
local lane, version, careful, clock, by = unpack(ARGV, 1, 5)
local now = read_clock(clock)

local state, ruling, tenant, mailbox =
  unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'version', 'tenant', 'mailbox'))
if not state then return {'refused', ''} end
if tonumber(ruling) > tonumber(version) then return {'refused', ruling} end
if state == 'open' and ruling == version then return {'already'} end

redis.call('HSET', K.lane_info .. lane, 'state', 'open', 'version', version)
redis.call('HDEL', K.lane_info .. lane, 'code', 'message')
if careful == '1' and state ~= 'open' then
  redis.call('HSET', K.mailbox .. mailbox, 'probe', '1')
  if redis.call('PTTL', K.mailbox .. mailbox) < DAY then redis.call('PEXPIRE', K.mailbox .. mailbox, DAY) end
end
if redis.call('ZCARD', K.lane .. lane) > 0 then wake_lane(lane, now) end

emit(now, 'opened', {'connection', lane, 'tenant', tenant, 'version', version, 'by', by})
return {'opened'}
