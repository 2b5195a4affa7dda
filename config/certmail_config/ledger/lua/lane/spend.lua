-- Pay for a request that sends no reminder out of the minute of a mailbox and its project, or say why that
-- cannot be now. A test mail is a message: it is counted in their day, waits while everything or its tenant
-- is paused, and leaves a connection once a minute at most.
-- KEYS  none declared; K.lane_info, K.mailbox, K.project, K.pace, K.day (hashes), K.window (zset), K.paused
--       (set), K.tested (string)
-- ARGV  1 connection · 2 units · 3 nonce of this call · 4 '1' for a message · 5 clock ms or ''
-- Gives 'paid', else what it waits for and nothing was changed. Called again with the same nonce it pays
-- once.
local lane, cost, nonce, message, clock = unpack(ARGV, 1, 5)
local is_message = message == '1'

local mailbox, project, send_units, units_per_minute, project_units_per_minute, tenant, per_day,
  project_units_per_day = unpack(redis.call('HMGET', K.lane_info .. lane, 'mailbox', 'project', 'send_units',
  'units_per_minute', 'project_units_per_minute', 'tenant', 'per_day', 'project_units_per_day'))
if not mailbox then return 'unknown' end

local now, leapt = read_clock(clock)
send_units = tonumber(send_units)
local slots = math.ceil(tonumber(cost) / send_units)
local meter = meter_of(mailbox, project)
local meters, limits = {meter, project}, {units_per_minute, project_units_per_minute}
if redis.call('ZSCORE', K.window .. meter, nonce .. ':1') then return 'paid' end
if leapt then return 'clock' end -- the mailbox's next slot would be as far ahead
for _, key in ipairs({K.mailbox .. mailbox, K.project .. project}) do
  if tonumber(redis.call('HGET', key, 'cooling') or '0') > now then return 'cooling' end
end

if is_message then
  if paused(tenant) then return 'paused' end
  if tonumber(redis.call('GET', K.tested .. lane) or '0') > now then return 'tested' end
  if day_used(mailbox, now) >= tonumber(per_day) then return 'day' end
  if day_used(project, now) >= sends(tonumber(project_units_per_day), send_units) then return 'day' end
end

local paces = {}
for i, each in ipairs(meters) do
  local next, units, share = pace_of(each, tonumber(limits[i]), now)
  local allowed = sends(units, send_units) - slots + 1
  if minute_used(each, now, allowed) >= allowed then return 'minute' end
  -- The next send waits as if these had been sends.
  paces[i] = math.max(next, now) + slots * interval(units, share, send_units)
end

-- Somebody is leased by other limits, perhaps.
local function disagree(name, limits, key)
  local known = redis.call('HGET', K.day .. name, 'limits')
  if known and known ~= limits then look_again(key, now) end
end
disagree(mailbox, limits_of(units_per_minute, send_units, per_day), K.mailbox .. mailbox)
disagree(
  project, limits_of(project_units_per_minute, send_units, project_units_per_day), K.project .. project)

for i, each in ipairs(meters) do
  -- They are made after this, and soon.
  for n = 1, slots do redis.call('ZADD', K.window .. each, text(now + MINUTE + 1000), nonce .. ':' .. n) end
  redis.call('PEXPIRE', K.window .. each, 3600000)
  set_next(each, paces[i])
end
if is_message then
  for _, name in ipairs({mailbox, project}) do count_in_day(name, math.floor(now / SLOT), 1) end
  redis.call('SET', K.tested .. lane, text(now + MINUTE), 'PX', MINUTE)
end
return 'paid'
