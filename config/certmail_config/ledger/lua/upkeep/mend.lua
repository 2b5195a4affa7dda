-- Put right what inspect.lua named: a job's own fields are the truth, and every index is made from them anew.
-- KEYS  none declared; all that a job or lane touches
-- ARGV  1 what: 'job', 'key' (a dedupe key), 'lane', 'project', 'tenant' (its count) or 'member'
--       2 its id; of a member the index's key, a space, and the job's id · 3 clock ms or ''
-- Gives the state that the job is in then, 'removed', 'belongs', 'woken' or 'counted'.
-- Called again it changes nothing more.
local what, id, clock = unpack(ARGV, 1, 3)
local now = read_clock(clock)

if what == 'key' then
  local owner = string.match(redis.call('GET', K.dedupe .. id) or '', '^([^|]+)|')
  if not owner or redis.call('EXISTS', K.job .. owner) == 0 then redis.call('DEL', K.dedupe .. id) end
  return 'removed'
end
if what == 'lane' then
  wake_lane(id, now)
  return 'woken'
end
if what == 'project' then
  wake_project(id, now)
  return 'woken'
end
if what == 'tenant' then
  local days, sum = redis.call('HGETALL', K.taken .. id), 0
  for i = 1, #days, 2 do
    if days[i] ~= 'all' then sum = sum + tonumber(days[i + 1]) end
  end
  if #days > 0 then redis.call('HSET', K.taken .. id, 'all', text(sum)) end
  return 'counted'
end
if what == 'member' then
  local index, member = string.match(id, '^(.+) ([^ ]+)$')
  if belongs(index, member) then return 'belongs' end
  redis.call(redis.call('TYPE', index).ok == 'zset' and 'ZREM' or 'SREM', index, member)
  -- A slot of the mailbox, or of its minute, is free again.
  local slots = begins_with(index, K.flying) and K.flying or begins_with(index, K.window) and K.window
  if slots then
    local mailbox = string.match(string.sub(index, #slots + 1), '^[^:]*')
    for _, lane in ipairs(redis.call('SMEMBERS', K.blocked .. mailbox)) do wake_lane(lane, now) end
    redis.call('DEL', K.blocked .. mailbox)
  end
  return 'removed'
end

local job, broken = load_job(id)
if broken then return set_aside(id, now) end
if not job then
  redis.call('DEL', K.body .. id)
  for _, index in ipairs({K.due, K.unsure}) do redis.call('ZREM', index, id) end
  for _, index in ipairs({K.leased, K.ringing}) do redis.call('SREM', index, id) end
  return 'removed'
end
if is_final(job) or job.finished_at then
  free_slots(id, job, now)
  forget_payload(id, job)
  return job.state
end

redis.call('PERSIST', K.job .. id)
local key = K.dedupe .. job.dedupe
if redis.call('EXISTS', key) == 0 then redis.call('SET', key, id .. '|') end
redis.call('PERSIST', key)
redis.call('ZREM', K.lane .. job.connection, id)
redis.call('ZREM', K.later .. job.connection, id)

local lost = redis.call('EXISTS', K.body .. id) == 0 and job.state ~= 'sending'
if lost then
  job.payload_lost = '1'
  redis.call('HSET', K.job .. id, 'payload_lost', '1')
end
if lost and job.state ~= 'uncertain' then
  free_slots(id, job, now)
  local reason = 'payload_missing: its content is gone'
  local state = put_final(id, job, 'failed', reason, now)
  emit(now, 'mended',
    {'job', id, 'tenant', job.tenant, 'state', state, 'reason', reason, 'held', held_in(state)})
  return state
end

if job.state == 'ready' then
  free_slots(id, job, now)
  return (put_ready(id, job, now))
elseif job.state == 'scheduled' then
  free_slots(id, job, now)
  return (put_scheduled(id, job, tonumber(job.not_before or text(now)), now))
elseif job.state == 'uncertain' then
  free_slots(id, job, now)
  name_mailbox(id, job)
  local _, unknown = copies(job)
  local presumed = unknown and {} or presume(id, job, '0')
  put_uncertain(id, job, job.reason or '', nil, now)
  emit(now, 'mended', {'job', id, 'tenant', job.tenant, 'connection', job.connection, 'state', 'uncertain',
    'reason', job.reason or '', 'held', '1', unpack(presumed)})
else
  redis.call('ZADD', K.due, job.lease or text(now), id)
  redis.call('SADD', K.leased, id)
  redis.call('SADD', K.flying .. job.mailbox, id)
  for _, meter in ipairs({meter_of(job.mailbox, job.project), job.project}) do
    redis.call('ZADD', K.window .. meter, '+inf', id)
  end
end
return job.state
