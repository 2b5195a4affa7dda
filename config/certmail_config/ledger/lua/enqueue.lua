-- Take a reminder in: once per dedupe key, durable when this returns (see DURABILITY).
-- KEYS  none declared; writes K.job (hash), K.body (string), K.dedupe (string), K.due (zset), K.lane, K.wake, K.events
-- ARGV  1 id · 2 tenant · 3 connection · 4 dedupe key · 5 fingerprint · 6 initial state (ready, scheduled, suppressed)
--       7 reason · 8 send_at ms · 9 expires_at ms · 10 priority 0-9 · 11 kind · 12 campaign · 13 keep ms · 14 sealed body
--       15 clock ms or ''
-- Gives {'enqueued'|'duplicate', id, state}, or {'key_reused', id}, or {'unknown_connection'}.
-- Called again with the same id (a retried command) it gives the same answer.
local id, tenant, connection, dedupe, print = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local state, keep = ARGV[6], ARGV[13]

local held = redis.call('GET', K.dedupe .. dedupe)
if held then
  local other, other_print = string.match(held, '^([^|]+)|(.*)$')
  if other_print ~= print then return {'key_reused', other} end
  local found = redis.call('HGET', K.job .. other, 'state') or 'accepted'
  return {other == id and 'enqueued' or 'duplicate', other, found}
end
if redis.call('EXISTS', K.lane_info .. connection) == 0 then return {'unknown_connection'} end

local now = read_clock(ARGV[15])
local job = {
  attempt = '0', connection = connection, dedupe = dedupe, priority = ARGV[10], enqueued_at = text(now), expires_at = ARGV[9], keep = keep,
}
redis.call('SET', K.dedupe .. dedupe, id .. '|' .. print)
redis.call('HSET', K.job .. id, 'state', state, 'tenant', tenant, 'connection', connection, 'kind', ARGV[11],
  'campaign', ARGV[12], 'priority', ARGV[10], 'send_at', ARGV[8], 'expires_at', ARGV[9], 'enqueued_at', text(now),
  'dedupe', dedupe, 'keep', keep, 'fence', '0', 'attempt', '0')
if state == 'suppressed' then
  put_final(id, job, state, ARGV[7], now)
else
  redis.call('SET', K.body .. id, ARGV[14])
  if state == 'scheduled' then put_scheduled(id, job, tonumber(ARGV[8]), now) else put_ready(id, job, now) end
end
emit(now, 'enqueued', {'job', id, 'tenant', tenant, 'connection', connection, 'kind', ARGV[11], 'campaign', ARGV[12],
  'state', state, 'reason', ARGV[7], 'dedupe', dedupe, 'fingerprint', print, 'send_at', ARGV[8], 'expires_at', ARGV[9], 'priority', ARGV[10], 'body', ARGV[14]})
return {'enqueued', id, state}
