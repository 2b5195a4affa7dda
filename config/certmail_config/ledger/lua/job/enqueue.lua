-- Take reminders in: each once per dedupe key, durable when this returns (see DURABILITY). Several at once
-- cost the server less, and are written to disk together.
-- KEYS  none declared; writes K.job (hash), K.body (string), K.dedupe (string), K.due (zset), K.lane,
--       K.later, K.wake, K.taken, K.events
-- ARGV  14 for each reminder:
--       1 id · 2 tenant · 3 connection · 4 dedupe key · 5 fingerprint
--       6 initial state (ready, scheduled, suppressed) · 7 reason · 8 send_at ms · 9 expires_at ms
--       10 priority 0-9 · 11 kind · 12 campaign · 13 keep ms · 14 sealed body
--       after all of them: 1 how many reminders a tenant may have here, '0': any number · 2 clock ms or ''
-- Gives for each {'enqueued'|'duplicate', id, state}, or {'key_reused', id}, or {'unknown_connection'}, or
-- {'tenant_full'}.
-- Called again with the same ids (a retried command) it gives the same answers.
local max_per_tenant, clock = unpack(ARGV, #ARGV - 1)
local FIELDS, AFTER_ALL = 14, 2
max_per_tenant = tonumber(max_per_tenant)
local now = read_clock(clock)
local today = text(math.floor(believed(now) / DAY))
local has_lane, ready_in, taken, loads = {}, {}, false, {}

local function lane_exists(connection)
  if has_lane[connection] == nil then
    has_lane[connection] = redis.call('EXISTS', K.lane_info .. connection) == 1
  end
  return has_lane[connection]
end

-- How many jobs a lane holds; one that is broken stops none but its own.
local function size(key)
  local found = redis.pcall('ZCARD', key)
  return type(found) == 'number' and found or 0
end

-- What waits in a tenant's lanes.
local function waiting(tenant)
  local fields, count = redis.call('HGETALL', K.tenant .. tenant), 0
  for i = 1, #fields, 2 do
    if begins_with(fields[i], 'connection:') then
      count = count + size(K.lane .. fields[i + 1]) + size(K.later .. fields[i + 1])
    end
  end
  return count
end

-- The first reminder of a day: those are no longer counted that are forgotten by now. Where nothing has been
-- counted yet, what waits is. Gives how many there are.
local function begin_day(tenant, keep)
  local key, all = K.taken .. tenant, 0
  local days = redis.call('HGETALL', key)
  if #days == 0 then
    all = waiting(tenant)
    redis.call('HSET', key, today, text(all))
  end
  for i = 1, #days, 2 do
    if days[i] ~= 'all' then
      if tonumber(days[i]) + math.ceil(keep / DAY) < tonumber(today) then
        redis.call('HDEL', key, days[i])
      else
        all = all + tonumber(days[i + 1])
      end
    end
  end
  redis.call('PEXPIRE', key, text(keep + 2 * DAY))
  return all
end

-- How many reminders of a tenant there are, at least: all that were taken in within the time for which they
-- are kept.
local function load_of(tenant, keep)
  if not loads[tenant] then
    local all, of_today = unpack(redis.call('HMGET', K.taken .. tenant, 'all', today))
    loads[tenant] = {all = of_today and tonumber(all) or begin_day(tenant, tonumber(keep)), new = 0}
  end
  return loads[tenant]
end

local function take_in(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority,
  kind, campaign, keep, body)
  local owner = redis.call('GET', K.dedupe .. dedupe)
  if owner then
    local other, other_print = string.match(owner, '^([^|]+)|(.*)$')
    if other_print ~= print then return {'key_reused', other} end
    local found = redis.call('HGET', K.job .. other, 'state') or 'accepted'
    return {other == id and 'enqueued' or 'duplicate', other, found}
  end

  if not lane_exists(connection) then return {'unknown_connection'} end
  local load = load_of(tenant, keep)
  if max_per_tenant > 0 and load.all + load.new >= max_per_tenant then return {'tenant_full'} end
  load.new = load.new + 1

  local job = {
    attempt = '0', connection = connection, dedupe = dedupe, priority = priority, enqueued_at = text(now),
    expires_at = expires_at, keep = keep,
  }
  redis.call('SET', K.dedupe .. dedupe, id .. '|' .. print)
  redis.call('HSET', K.job .. id, 'state', state, 'tenant', tenant, 'connection', connection, 'kind', kind,
    'campaign', campaign, 'priority', priority, 'send_at', send_at, 'expires_at', expires_at,
    'enqueued_at', text(now), 'dedupe', dedupe, 'keep', keep, 'fence', '0', 'attempt', '0')
  if state == 'suppressed' then
    put_final(id, job, state, reason, now)
  else
    redis.call('SET', K.body .. id, body)
    if state == 'scheduled' then
      put_scheduled(id, job, tonumber(send_at), now)
    else -- as put_ready, of one that was nowhere before
      redis.call('ZADD', K.due, expires_at, id)
      redis.call('ZADD', K.lane .. connection, lane_score(job), id)
      ready_in[connection] = true
    end
  end

  append(now, 'enqueued', {'job', id, 'tenant', tenant, 'connection', connection, 'kind', kind,
    'campaign', campaign, 'state', state, 'reason', reason, 'dedupe', dedupe, 'fingerprint', print,
    'send_at', send_at, 'expires_at', expires_at, 'priority', priority, 'body', body})
  taken = true
  return {'enqueued', id, state}
end

local answers = {}
for at = 1, #ARGV - AFTER_ALL, FIELDS do
  answers[#answers + 1] = take_in(unpack(ARGV, at, at + FIELDS - 1))
end
for connection in pairs(ready_in) do wake_lane(connection, now) end
for tenant, load in pairs(loads) do
  redis.call('HINCRBY', K.taken .. tenant, today, load.new)
  redis.call('HSET', K.taken .. tenant, 'all', text(load.all + load.new))
end
if taken and believed(now) == now then remember_clock(now) end
return answers
