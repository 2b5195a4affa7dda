-- Take reminders in: each once per dedupe key, durable when this returns (see DURABILITY). Several at once cost the server
-- less, and are written to disk together.
-- KEYS  none declared; writes K.job (hash), K.body (string), K.dedupe (string), K.due (zset), K.lane, K.later, K.wake, K.events
-- ARGV  14 for each reminder:
--       1 id · 2 tenant · 3 connection · 4 dedupe key · 5 fingerprint · 6 initial state (ready, scheduled, suppressed)
--       7 reason · 8 send_at ms · 9 expires_at ms · 10 priority 0-9 · 11 kind · 12 campaign · 13 keep ms · 14 sealed body
--       after all of them: clock ms or ''
-- Gives for each {'enqueued'|'duplicate', id, state}, or {'key_reused', id}, or {'unknown_connection'}.
-- Called again with the same ids (a retried command) it gives the same answers.
local FIELDS = 14
local now = read_clock(ARGV[#ARGV])
local has_lane, ready_in, taken = {}, {}, false

local function lane_exists(connection)
  if has_lane[connection] == nil then has_lane[connection] = redis.call('EXISTS', K.lane_info .. connection) == 1 end
  return has_lane[connection]
end

local function take_in(id, tenant, connection, dedupe, print, state, reason, send_at, expires_at, priority, kind, campaign, keep, body)
  local held = redis.call('GET', K.dedupe .. dedupe)
  if held then
    local other, other_print = string.match(held, '^([^|]+)|(.*)$')
    if other_print ~= print then return {'key_reused', other} end
    local found = redis.call('HGET', K.job .. other, 'state') or 'accepted'
    return {other == id and 'enqueued' or 'duplicate', other, found}
  end
  if not lane_exists(connection) then return {'unknown_connection'} end

  local job = {
    attempt = '0', connection = connection, dedupe = dedupe, priority = priority, enqueued_at = text(now), expires_at = expires_at, keep = keep,
  }
  redis.call('SET', K.dedupe .. dedupe, id .. '|' .. print)
  redis.call('HSET', K.job .. id, 'state', state, 'tenant', tenant, 'connection', connection, 'kind', kind,
    'campaign', campaign, 'priority', priority, 'send_at', send_at, 'expires_at', expires_at, 'enqueued_at', text(now),
    'dedupe', dedupe, 'keep', keep, 'fence', '0', 'attempt', '0')
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
  append(now, 'enqueued', {'job', id, 'tenant', tenant, 'connection', connection, 'kind', kind, 'campaign', campaign,
    'state', state, 'reason', reason, 'dedupe', dedupe, 'fingerprint', print, 'send_at', send_at, 'expires_at', expires_at,
    'priority', priority, 'body', body})
  taken = true
  return {'enqueued', id, state}
end

local answers = {}
for at = 1, #ARGV - FIELDS, FIELDS do
  answers[#answers + 1] = take_in(unpack(ARGV, at, at + FIELDS - 1))
end
for connection in pairs(ready_in) do wake_lane(connection, now) end
if taken and believed(now) == now then remember_clock(now) end
return answers
