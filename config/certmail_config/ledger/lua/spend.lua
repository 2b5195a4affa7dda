-- Pay for requests that are no sends out of the minute of a mailbox and its project, or say that there is no room for them now.
-- KEYS  none declared; K.lane_info, K.mailbox, K.project, K.pace (hashes), K.window (zset)
-- ARGV  1 connection · 2 units · 3 nonce of this call · 4 clock ms or ''
-- Gives 1 if paid, else 0 and nothing was changed. Called again with the same nonce it pays once.
local info = redis.call('HMGET', K.lane_info .. ARGV[1], 'mailbox', 'project', 'send_units', 'units_per_minute', 'project_units_per_minute')
if not info[1] then return 0 end
local now, leapt = read_clock(ARGV[4])
local send_units = tonumber(info[3])
local slots = math.ceil(tonumber(ARGV[2]) / send_units)
local meters = {meter_of(info[1], info[2]), info[2]}
if redis.call('ZSCORE', K.window .. meters[1], ARGV[3] .. ':1') then return 1 end
if leapt then return 0 end -- the mailbox's next slot would be as far ahead
for _, key in ipairs({K.mailbox .. info[1], K.project .. info[2]}) do
  if tonumber(redis.call('HGET', key, 'cooling') or '0') > now then return 0 end
end
local paces = {}
for i, meter in ipairs(meters) do
  local next, units, share = pace_of(meter, tonumber(info[3 + i]), now)
  if minute_used(meter, now) + slots > sends(units, send_units) then return 0 end
  -- The next send waits as if these had been sends.
  paces[i] = math.max(next, now) + slots * interval(units, share, send_units)
end
for i, meter in ipairs(meters) do
  -- They are made after this, and soon.
  for n = 1, slots do redis.call('ZADD', K.window .. meter, text(now + MINUTE + 1000), ARGV[3] .. ':' .. n) end
  redis.call('PEXPIRE', K.window .. meter, 3600000)
  set_next(meter, paces[i])
end
return 1
