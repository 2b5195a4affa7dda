-- Pay for a request that sends no reminder out of the minute of a mailbox and its project, or say why that cannot be now.
-- A test mail is a message: it is counted in their day, waits while everything or its tenant is paused, and leaves a
-- connection once a minute at most.
-- KEYS  none declared; K.lane_info, K.mailbox, K.project, K.pace, K.day (hashes), K.window (zset), K.paused (set), K.tested (string)
-- ARGV  1 connection · 2 units · 3 nonce of this call · 4 '1' for a message · 5 clock ms or ''
-- Gives 'paid', else what it waits for and nothing was changed. Called again with the same nonce it pays once.
local info = redis.call('HMGET', K.lane_info .. ARGV[1], 'mailbox', 'project', 'send_units', 'units_per_minute', 'project_units_per_minute',
  'tenant', 'per_day', 'project_units_per_day')
if not info[1] then return 'unknown' end
local now, leapt = read_clock(ARGV[5])
local send_units, message = tonumber(info[3]), ARGV[4] == '1'
local slots = math.ceil(tonumber(ARGV[2]) / send_units)
local meters = {meter_of(info[1], info[2]), info[2]}
if redis.call('ZSCORE', K.window .. meters[1], ARGV[3] .. ':1') then return 'paid' end
if leapt then return 'clock' end -- the mailbox's next slot would be as far ahead
for _, key in ipairs({K.mailbox .. info[1], K.project .. info[2]}) do
  if tonumber(redis.call('HGET', key, 'cooling') or '0') > now then return 'cooling' end
end
if message then
  if paused(info[6]) then return 'paused' end
  if tonumber(redis.call('GET', K.tested .. ARGV[1]) or '0') > now then return 'tested' end
  if day_used(info[1], now) >= tonumber(info[7]) or day_used(info[2], now) >= sends(tonumber(info[8]), send_units) then return 'day' end
end
local paces = {}
for i, meter in ipairs(meters) do
  local next, units, share = pace_of(meter, tonumber(info[3 + i]), now)
  if minute_used(meter, now) + slots > sends(units, send_units) then return 'minute' end
  -- The next send waits as if these had been sends.
  paces[i] = math.max(next, now) + slots * interval(units, share, send_units)
end
for i, meter in ipairs(meters) do
  -- They are made after this, and soon.
  for n = 1, slots do redis.call('ZADD', K.window .. meter, text(now + MINUTE + 1000), ARGV[3] .. ':' .. n) end
  redis.call('PEXPIRE', K.window .. meter, 3600000)
  set_next(meter, paces[i])
end
if message then
  for i = 1, 2 do count_in_day(info[i], math.floor(now / SLOT), 1) end
  redis.call('SET', K.tested .. ARGV[1], text(now + MINUTE), 'PX', MINUTE)
end
return 'paid'
