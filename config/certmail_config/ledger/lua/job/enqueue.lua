-- Take reminders in: each once per dedupe key, durable when this returns (see DURABILITY). Several at once
-- cost the server less, and are written to disk together.
-- KEYS  none declared; writes K.job (hash), K.body (string), K.dedupe (string), K.due (zset), K.lane,
--       K.later, K.wake, K.taken, K.events
-- ARGV  15 for each reminder:
--       1 id · 2 tenant · 3 connection · 4 dedupe key · 5 fingerprint
--       6 initial state (ready, scheduled, suppressed) · 7 reason · 8 send_at ms · 9 expires_at ms
--       10 priority 0-9 · 11 kind · 12 campaign · 13 keep ms · 14 '', or of one that a campaign planned:
--       until when it may leave, ms or '', and then for each that it tells of ' campaign:reviewer', hashed
--       15 sealed body
--       after all of them: 1 how many reminders a tenant may have here, '0': any number · 2 clock ms or ''
-- Gives for each {'enqueued'|'duplicate', id, state}, and behind that, where it waits, how many of its lane
-- leave before it (of a scheduled one those that wait for the same time or an earlier one); or {'key_reused',
-- id}, or {'unknown_connection'}, or {'tenant_full'}; or an error, where something that it needs is not what
-- it should be: then it is not taken in, and the others are all the same.
-- Called again with the same ids (a retried command) it gives the same answers.
local max_per_tenant, clock = unpack(ARGV, #ARGV - 1)
local FIELDS, AFTER_ALL = 15, 2
max_per_tenant = tonumber(max_per_tenant)
local now, leapt = read_clock(clock)
local now_text, today = text(now), text(math.floor((leapt and believed(now) or now) / DAY))
local lane_states, ready_in, loads = {}, {}, {}
-- What is new and not written yet: of each where its arguments begin, its place among the answers, and the
-- index that it comes into. Then the keys of those, and what comes into each index, by its key.
local gathered, gathered_keys, members_of = {}, {}, {}
-- Of each reminder its answer, and the index in which it waits, if it does.
local answers, indexes = {}, {}

-- A lane's state, or false where there is no such lane.
local function lane_state(connection)
  if lane_states[connection] == nil then
    lane_states[connection] = redis.call('HGET', K.lane_info .. connection, 'state')
  end
  return lane_states[connection]
end

-- The first reminder of a day: those are no longer counted that are forgotten by now. Where nothing has been
-- counted yet, what waits is. Gives how many there are.
local function begin_day(tenant, keep)
  -- rarely
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
    all = of_today and tonumber(all) or begin_day(tenant, tonumber(keep))
    of_today = of_today or redis.call('HGET', K.taken .. tenant, today) or '0'
    loads[tenant] = {all = all, of_today = tonumber(of_today), new = 0}
  end
  return loads[tenant]
end

local function index_of(state, connection)
  return (state == 'scheduled' and K.later or K.lane) .. connection
end

local function refusal(problem)
  return {err = type(problem) == 'table' and problem.err or tostring(problem)}
end

local NOTHING = {}
-- What only some jobs have: a time to wait for, a campaign that planned them.
local function more(state, send_at, wants)
  if wants == '' then return state == 'scheduled' and {'not_before', send_at} or NOTHING end
  return {'wants', wants, unpack(state == 'scheduled' and {'not_before', send_at} or NOTHING)}
end
-- A job as it begins, and the event of it. Its lane has it already. Most have no time to wait for.
local function write(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority,
  kind, campaign, keep, wants, body)
  redis.call('HSET', K.job .. id, 'state', state, 'tenant', tenant, 'connection', connection, 'kind', kind,
    'campaign', campaign, 'priority', priority, 'send_at', send_at, 'expires_at', expires_at,
    'enqueued_at', now_text, 'dedupe', dedupe, 'keep', keep, 'fence', '0', 'attempt', '0',
    unpack(more(state, send_at, wants)))
  redis.call('XADD', K.events, '*', 'type', 'enqueued', 'at', now_text, 'job', id, 'tenant', tenant,
    'connection', connection, 'kind', kind, 'campaign', campaign, 'state', state, 'reason', reason,
    'dedupe', dedupe, 'fingerprint', print, 'send_at', send_at, 'expires_at', expires_at,
    'priority', priority, 'body', body)
end

-- Write what is gathered. What a lane refuses, since somebody made it something else, is written nowhere.
local function flush()
  local refusals, due, strings, rest, last = {}, {}, {}, {}, 0
  for index, members in pairs(members_of) do
    local added = redis.pcall('ZADD', index, unpack(members))
    if type(added) ~= 'number' then refusals[index] = refusal(added) end
  end

  for _, job in ipairs(gathered) do
    local at, place, index = unpack(job)
    local id, tenant, connection, dedupe, print, state, _, send_at, expires_at = unpack(ARGV, at, at + 8)
    if refusals[index] then
      answers[place], indexes[place] = refusals[index], nil
      loads[tenant].new = loads[tenant].new - 1
    else
      local body = unpack(ARGV, at + FIELDS - 1, at + FIELDS - 1)
      if state == 'ready' then ready_in[connection] = true
      else expires_at = text(math.min(tonumber(send_at), tonumber(expires_at))) end
      due[last * 2 + 1], due[last * 2 + 2] = expires_at, id
      strings[last * 4 + 1], strings[last * 4 + 2] = K.dedupe .. dedupe, id .. '|' .. print
      strings[last * 4 + 3], strings[last * 4 + 4] = K.body .. id, body
      last = last + 1
      rest[last] = at
    end
  end

  gathered, gathered_keys, members_of = {}, {}, {}
  if last == 0 then return end
  -- The clock is remembered with them, unless it leapt.
  if not leapt then strings[last * 4 + 1], strings[last * 4 + 2] = K.clock, now_text end
  redis.call('MSET', unpack(strings))
  redis.call('ZADD', K.due, unpack(due))
  for _, at in ipairs(rest) do write(unpack(ARGV, at, at + FIELDS - 1)) end
end

local scores = {}
-- The lane's order, as text, once for all of a priority.
local function score_of(priority)
  scores[priority] = scores[priority] or text(lane_score({priority = priority, enqueued_at = now_text}))
  return scores[priority]
end

-- It is to wait: nothing is written before all others are looked at.
local function gather(place, at, id, connection, dedupe, state, send_at, priority)
  local index = index_of(state, connection)
  local members = members_of[index] or {}
  local last = #members
  members[last + 1], members[last + 2] = state == 'scheduled' and send_at or score_of(priority), id
  gathered[#gathered + 1], gathered_keys[dedupe], members_of[index] = {at, place, index}, true, members
  indexes[place] = index
end

-- Nothing was left to decide: it ends at once.
local function put_suppressed(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at,
  priority, kind, campaign, keep, wants, body)
  -- rarely
  redis.call('SET', K.dedupe .. dedupe, id .. '|' .. print)
  write(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority, kind, campaign,
    keep, wants, body)
  local job = {attempt = '0', connection = connection, dedupe = dedupe, keep = keep}
  put_final(id, job, state, reason, now)
  if not leapt then remember_clock(now) end
end

local function take_in(place, at, id, tenant, connection, dedupe, print, state, reason, send_at, expires_at,
  priority, kind, campaign, keep, wants, body)
  local owner = redis.call('GET', K.dedupe .. dedupe)
  if owner then
    local other, other_print = string.match(owner, '^([^|]+)|(.*)$')
    if other_print ~= print then return {'key_reused', other} end
    local found = redis.call('HGET', K.job .. other, 'state') or 'accepted'
    indexes[place] = (found == 'ready' or found == 'scheduled') and index_of(found, connection) or nil
    return {other == id and 'enqueued' or 'duplicate', other, found}
  end

  if not lane_state(connection) then return {'unknown_connection'} end
  local load = load_of(tenant, keep)
  if max_per_tenant > 0 and load.all + load.new >= max_per_tenant then return {'tenant_full'} end
  load.new = load.new + 1

  if state == 'suppressed' then
    put_suppressed(unpack(ARGV, at, at + FIELDS - 1))
  else
    gather(place, at, id, connection, dedupe, state, send_at, priority)
  end
  return {'enqueued', id, state}
end

local place = 0
for at = 1, #ARGV - AFTER_ALL, FIELDS do
  local _, _, _, dedupe = unpack(ARGV, at, at + 3)
  -- The same once more: it must find the first.
  if gathered_keys[dedupe] then flush() end
  place = place + 1
  local done, answer = pcall(take_in, place, at, unpack(ARGV, at, at + FIELDS - 1))
  answers[place] = done and answer or refusal(answer)
end
flush()

for connection in pairs(ready_in) do
  if lane_state(connection) == 'open' then pcall(wake_lane, connection, now) end
end
for tenant, load in pairs(loads) do
  redis.call('HSET', K.taken .. tenant, today, text(load.of_today + load.new),
    'all', text(load.all + load.new))
end

for of, index in pairs(indexes) do
  local _, id = unpack(answers[of])
  local rank = redis.pcall('ZRANK', index, id)
  if type(rank) == 'number' then table.insert(answers[of], rank) end
end
return answers
