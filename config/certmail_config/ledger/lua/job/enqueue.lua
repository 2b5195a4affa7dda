-- Take reminders in: each once per dedupe key, durable when this returns (see DURABILITY). Several at once
-- cost the server less, and are written to disk together.
-- KEYS  none declared; writes K.job (hash), K.body (string), K.dedupe (string), K.due (zset), K.lane,
--       K.later, K.wake, K.taken, K.events; reads K.withdrawn (string)
-- ARGV  15 for each reminder:
--       1 id · 2 tenant · 3 connection · 4 dedupe key · 5 fingerprint
--       6 initial state (ready, scheduled, suppressed) · 7 reason · 8 send_at ms · 9 expires_at ms
--       10 priority 0-9 · 11 kind · 12 campaign · 13 keep ms · 14 '', or of one that a campaign planned:
--       until when it may leave, ms or '', and then for each that it tells of ' campaign:reviewer', hashed
--       15 sealed body
--       after all of them: 1 how many reminders a tenant may have here, '0': any number · 2 clock ms or ''
-- Gives for each {'enqueued'|'duplicate', id, state}, and behind that, where it waits, how many of its lane
-- leave before it (of a scheduled one those that wait for the same time or an earlier one); or {'key_reused',
-- id}, or {'unknown_connection'}, or {'tenant_full'}, or {'withdrawn'}: a campaign planned it, and has
-- withdrawn it before it came; or an error, where something that it needs is not what it should be: then it
-- is not taken in, and the others are all the same.
-- Called again with the same ids (a retried command) it gives the same answers.
local FIELDS, AFTER_ALL = 15, 2
local max_per_tenant, clock = unpack(ARGV, #ARGV - 1)
local now, leapt, last_used = time_after(redis.call('GET', K.clock), clock)
local believed_now = leapt and last_used or now
local now_text, today = text(now), text(math.floor(believed_now / DAY))
-- What is known of lanes, by connection, and of tenants' loads.
local lanes, loads = {}, {}

-- How many reminders of a tenant there are, at least: all that were taken in within the time for which they
-- are kept; how many of today; and how many are new by this call.
local function load_of(tenant, keep)
  if loads[tenant] then return loads[tenant] end
  local key = K.taken .. tenant
  local all, of_today = unpack(redis.call('HMGET', key, 'all', today))

  if not of_today then
    -- rarely
    -- The first of a day: those are no longer counted that are forgotten by now. Where nothing has been
    -- counted yet, what waits is.
    -- How many jobs a lane holds; one that is broken stops none but its own.
    local function size(index)
      local found = redis.pcall('ZCARD', index)
      return type(found) == 'number' and found or 0
    end
    -- What waits in a tenant's lanes.
    local function waiting()
      local fields, count = redis.call('HGETALL', K.tenant .. tenant), 0
      for i = 1, #fields, 2 do
        if begins_with(fields[i], 'connection:') then
          count = count + size(K.lane .. fields[i + 1]) + size(K.later .. fields[i + 1])
        end
      end
      return count
    end

    local days = redis.call('HGETALL', key)
    all = 0
    if #days == 0 then
      all = waiting()
      redis.call('HSET', key, today, text(all))
    end
    for i = 1, #days, 2 do
      if days[i] ~= 'all' then
        if tonumber(days[i]) + math.ceil(tonumber(keep) / DAY) < tonumber(today) then
          redis.call('HDEL', key, days[i])
        else
          all = all + tonumber(days[i + 1])
        end
      end
    end
    redis.call('PEXPIRE', key, text(tonumber(keep) + 2 * DAY))
    of_today = redis.call('HGET', key, today) or '0'
  end

  loads[tenant] = {all = tonumber(all), of_today = tonumber(of_today), new = 0}
  return loads[tenant]
end

local NOTHING = {}
-- The clock is remembered with what is written, unless it leapt.
local clock_pair = leapt and NOTHING or {K.clock, now_text}

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

-- Look at one: gives its answer, the index in which it waits, if it does, and where it is yet to be written
-- there its score, and when somebody must look at it.
local function judge(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority,
  kind, campaign, keep, wants, body)
  local owner, score, due_at = redis.call('GET', K.dedupe .. dedupe), nil, expires_at
  local answer, waits_as = {'enqueued', id, state}, state

  if owner then
    local other, other_print = string.match(owner, '^([^|]+)|(.*)$')
    if other_print ~= print then return {'key_reused', other} end
    waits_as = redis.call('HGET', K.job .. other, 'state') or 'accepted'
    answer = {other == id and 'enqueued' or 'duplicate', other, waits_as}
    if waits_as ~= 'ready' and waits_as ~= 'scheduled' then return answer end
  else
    if wants ~= '' and redis.call('EXISTS', K.withdrawn .. id) == 1 then return {'withdrawn'} end
    local lane = lanes[connection] or redis.call('HMGET', K.lane_info .. connection, 'state', 'project')
    lanes[connection] = lane
    if not unpack(lane) then return {'unknown_connection'} end
    local load = load_of(tenant, keep)
    if max_per_tenant ~= '0' and load.all + load.new >= tonumber(max_per_tenant) then
      return {'tenant_full'}
    end

    if state == 'suppressed' then
      -- rarely
      -- Nothing was left to decide: it ends at once.
      redis.call('SET', K.dedupe .. dedupe, id .. '|' .. print)
      write(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority, kind,
        campaign, keep, wants, body)
      local job = {attempt = '0', connection = connection, dedupe = dedupe, keep = keep}
      put_final(id, job, state, reason, now)
      if not leapt then remember_clock(now) end
      load.new = load.new + 1
      return answer
    end

    score = lane_score(priority, now)
    if state == 'scheduled' then
      score, due_at = send_at, text(math.min(tonumber(send_at), tonumber(expires_at)))
    end
  end

  return answer, (waits_as == 'scheduled' and K.later or K.lane) .. connection, score, due_at
end

if #ARGV > FIELDS + AFTER_ALL then
  -- rarely
  -- Several are gathered, and what they share is written once.
  -- What is new and not written yet: of each where its arguments begin, its place among the answers, and the
  -- index that it comes into. Then the keys of those, and what comes into each index, by its key.
  local gathered, gathered_keys, members_of = {}, {}, {}
  -- Of each reminder its answer, and the index in which it waits, if it does; and the lanes with new ones.
  local answers, indexes, ready_in = {}, {}, {}

  -- Write what is gathered. What a lane refuses, since somebody made it something else, is written nowhere.
  local function flush()
    local refusals, due, strings, rest, last = {}, {}, {}, {}, 0
    for index, members in pairs(members_of) do
      local added = redis.pcall('ZADD', index, unpack(members))
      if type(added) ~= 'number' then refusals[index] = refusal(added) end
    end

    for _, job in ipairs(gathered) do
      local at, place, index, due_at = unpack(job)
      local id, tenant, connection, dedupe, print, state = unpack(ARGV, at, at + 5)
      if refusals[index] then
        answers[place], indexes[place] = refusals[index], nil
        loads[tenant].new = loads[tenant].new - 1
      else
        local body = unpack(ARGV, at + FIELDS - 1, at + FIELDS - 1)
        if state == 'ready' then ready_in[connection] = true end
        due[last * 2 + 1], due[last * 2 + 2] = due_at, id
        strings[last * 4 + 1], strings[last * 4 + 2] = K.dedupe .. dedupe, id .. '|' .. print
        strings[last * 4 + 3], strings[last * 4 + 4] = K.body .. id, body
        last = last + 1
        rest[last] = at
      end
    end

    gathered, gathered_keys, members_of = {}, {}, {}
    if last == 0 then return end
    strings[last * 4 + 1], strings[last * 4 + 2] = unpack(clock_pair)
    redis.call('MSET', unpack(strings))
    redis.call('ZADD', K.due, unpack(due))
    for _, at in ipairs(rest) do write(unpack(ARGV, at, at + FIELDS - 1)) end
  end

  -- It is to wait: nothing is written before all others are looked at.
  local function gather(at, place, index, score, due_at)
    local id, tenant, _, dedupe = unpack(ARGV, at, at + 3)
    local members, load = members_of[index] or {}, loads[tenant]
    local last = #members
    members[last + 1], members[last + 2] = score, id
    members_of[index], gathered_keys[dedupe] = members, true
    gathered[#gathered + 1] = {at, place, index, due_at}
    load.new = load.new + 1
  end

  local place = 0
  for at = 1, #ARGV - AFTER_ALL, FIELDS do
    local _, _, _, dedupe = unpack(ARGV, at, at + 3)
    -- The same once more: it must find the first.
    if gathered_keys[dedupe] then flush() end
    place = place + 1
    local done, answer, index, score, due_at = pcall(judge, unpack(ARGV, at, at + FIELDS - 1))
    answers[place], indexes[place] = done and answer or refusal(answer), done and index or nil
    if done and score then gather(at, place, index, score, due_at) end
  end
  flush()

  for connection in pairs(ready_in) do
    local state, project = unpack(lanes[connection])
    if state == 'open' then pcall(wake_open_lane, connection, project, text(believed_now)) end
  end
  for tenant, load in pairs(loads) do
    redis.call('HSET', K.taken .. tenant, today, load.of_today + load.new, 'all', load.all + load.new)
  end
  for place, index in pairs(indexes) do
    local _, id = unpack(answers[place])
    local rank = redis.pcall('ZRANK', index, id)
    if type(rank) == 'number' then table.insert(answers[place], rank) end
  end
  return answers
end

-- One alone is written at once: gives its answer, and the index in which it waits, if it does.
local function take_in(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority,
  kind, campaign, keep, wants, body)
  local answer, index, score, due_at = judge(id, tenant, connection, dedupe, print, state, reason, send_at,
    expires_at, priority, kind, campaign, keep, wants, body)
  if not score then return answer, index end

  redis.call('ZADD', index, score, id)
  redis.call('MSET', K.dedupe .. dedupe, id .. '|' .. print, K.body .. id, body, unpack(clock_pair))
  redis.call('ZADD', K.due, due_at, id)
  write(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority, kind, campaign,
    keep, wants, body)
  loads[tenant].new = 1

  local lane_state, project = unpack(lanes[connection])
  if state == 'ready' and lane_state == 'open' then
    -- rarely
    pcall(wake_open_lane, connection, project, text(believed_now))
  end
  return answer, index
end

local done, answer, index = pcall(take_in, unpack(ARGV, 1, FIELDS))
if not done then
  -- rarely
  answer, index = refusal(answer), nil
end
for tenant, load in pairs(loads) do
  redis.call('HSET', K.taken .. tenant, today, load.of_today + load.new, 'all', load.all + load.new)
end
if index then
  local _, id = unpack(answer)
  local rank = redis.pcall('ZRANK', index, id)
  if type(rank) == 'number' then table.insert(answer, rank) end
end
return {answer}
