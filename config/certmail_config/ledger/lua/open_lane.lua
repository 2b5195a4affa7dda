-- Let a lane's jobs leave: the connection of this version works.
-- KEYS  none declared; K.lane_info, K.mailbox (hashes), K.lane, K.wake (zsets), K.events
-- ARGV  1 connection · 2 version · 3 '1' if it did not work before: one job goes first, to probe · 4 clock ms or ''
--       5 by whom, '' for certmail itself
-- Gives {'opened'|'already'}, or {'refused', version} when a newer version rules.
local lane, version = ARGV[1], ARGV[2]
local now = read_clock(ARGV[4])
local info = redis.call('HMGET', K.lane_info .. lane, 'state', 'version', 'tenant', 'mailbox')
if not info[1] then return {'refused', ''} end
if tonumber(info[2]) > tonumber(version) then return {'refused', info[2]} end
if info[1] == 'open' and info[2] == version then return {'already'} end
redis.call('HSET', K.lane_info .. lane, 'state', 'open', 'version', version)
redis.call('HDEL', K.lane_info .. lane, 'code', 'message')
if ARGV[3] == '1' and info[1] ~= 'open' then
  redis.call('HSET', K.mailbox .. info[4], 'probe', '1')
  if redis.call('PTTL', K.mailbox .. info[4]) < DAY then redis.call('PEXPIRE', K.mailbox .. info[4], DAY) end
end
if redis.call('ZCARD', K.lane .. lane) > 0 then wake_lane(lane, now) end
emit(now, 'opened', {'connection', lane, 'tenant', info[3], 'version', version, 'by', ARGV[5]})
return {'opened'}
