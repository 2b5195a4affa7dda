-- Look at a page of keys or members, and name what breaks the ledger's invariants. Changes nothing.
-- KEYS  none declared; all
-- ARGV  1 what: 'keys' for jobs, payloads, dedupe keys, lanes and counts, else the name of a
--       zset or set of jobs
--       2 cursor, '0' at first · 3 about how many to look at
-- Gives {next cursor, '0' at the end, how many were looked at, code, subject, code, subject, …}; the codes
-- are those of invariants.py, but for 'look': a key to be looked at in its turn.
local what, cursor, count = unpack(ARGV, 1, 3)
local found, looked_at = {'cursor', 'how many'}, 0 -- these two are filled in at the end

local AT_CURSOR, AT_HOW_MANY = 1, 2

local function say(code, subject)
  found[#found + 1] = code
  found[#found + 1] = subject
end

local function same(a, b) return a and b and tonumber(a) == tonumber(b) end

-- Where a job of this state must be looked at next, or nil where any time will do.
local function due_at(job)
  if job.state == 'ready' then return job.expires_at end
  if job.state == 'scheduled' then
    return math.min(tonumber(job.not_before or 'inf'), tonumber(job.expires_at))
  end
  if is_leased(job) then return job.lease end
end

local FIELDS = {'state', 'tenant', 'connection', 'mailbox', 'project', 'dedupe', 'finished_at', 'nonce',
  'worker', 'payload_lost'}
for _, names in ipairs({COUNTED, PERHAPS, FRACTIONS}) do
  for _, name in ipairs(names) do FIELDS[#FIELDS + 1] = name end
end

-- What must be there for a job, seen from its own side.
local function look_at_job(key)
  local id = string.sub(key, #K.job + 1)
  local values, job = redis.pcall('HMGET', key, unpack(FIELDS)), {}
  for i, field in ipairs(FIELDS) do job[field] = values[i] or nil end
  if values.err or not sound(job) then return say('job_broken', id) end
  if is_final(job) or job.finished_at then
    if redis.call('PTTL', key) < 0 then say('kept_for_ever', id) end
    if redis.call('EXISTS', K.body .. id) == 1 then say('payload_left', id) end
    return
  end

  local due = redis.call('ZSCORE', K.due, id)
  if not due then
    say('not_due', id)
  elseif due_at(job) and not same(due, due_at(job)) then
    say('due_at_another_time', id)
  end
  if redis.call('PTTL', key) >= 0 then say('will_be_forgotten', id) end
  -- Lost in a restore it is not missed: somebody still has to say whether it had left.
  local missed = not (job.payload_lost and job.state == 'uncertain')
  if missed and redis.call('EXISTS', K.body .. id) == 0 then say('payload_missing', id) end
  -- What is uncertain needs none: a person says what became of it, also of a connection that was removed.
  if job.state ~= 'uncertain' and redis.call('EXISTS', K.lane_info .. job.connection) == 0 then
    say('lane_missing', id)
  end
  if job.state == 'uncertain' then
    local _, unknown = copies(load_job(id))
    if not unknown then say('no_request', id) end
  end
  local owner = redis.call('GET', K.dedupe .. job.dedupe)
  if not owner or string.match(owner, '^([^|]+)|') ~= id then say('key_lost', id) end

  if job.state == 'ready' then
    local place = redis.call('ZSCORE', K.lane .. job.connection, id)
    if not place then
      say('in_no_lane', id)
    elseif not same(place, lane_score(job.priority, job.enqueued_at)) then
      say('out_of_order', id)
    end
  elseif job.state == 'scheduled' then
    local later = redis.call('ZSCORE', K.later .. job.connection, id)
    if not same(later, job.not_before) then say('not_in_later', id) end
  elseif is_leased(job) then
    local mailbox, project = job.mailbox or '', job.project or ''
    if redis.call('SISMEMBER', K.leased, id) == 0
      or redis.call('SISMEMBER', K.flying .. mailbox, id) == 0
      or not redis.call('ZSCORE', K.window .. meter_of(mailbox, project), id)
      or not redis.call('ZSCORE', K.window .. project, id) then
      say('not_leased', id)
    end
  end
end

local function look_at_lane(lane)
  local state, mailbox, project, tenant =
    unpack(redis.call('HMGET', K.lane_info .. lane, 'state', 'mailbox', 'project', 'tenant'))
  if state == 'open' and redis.call('ZCARD', K.lane .. lane) > 0
    and not redis.call('ZSCORE', K.wake, lane)
    and redis.call('SISMEMBER', K.blocked .. (mailbox or ''), lane) == 0
    and not paused(tenant or '')
    and not redis.call('ZSCORE', K.queue .. (project or ''), lane) then
    say('lane_asleep', lane)
  end
end

-- Lanes wait for a project, which has a time or will be woken by a request that ends.
local function look_at_queue(project)
  local flies = redis.call('ZCOUNT', K.window .. project, '+inf', '+inf') > 0
  if not flies and not redis.call('ZSCORE', K.wake, PROJECT .. project) then
    say('project_asleep', project)
  end
end

-- All that a tenant has is what was counted day by day.
local function look_at_count(key)
  local days, sum, all = redis.call('HGETALL', key), 0, nil
  for i = 1, #days, 2 do
    if days[i] == 'all' then all = days[i + 1] else sum = sum + tonumber(days[i + 1]) end
  end
  if not same(all, sum) then say('miscounted', string.sub(key, #K.taken + 1)) end
end

local function look_at_key(key)
  if begins_with(key, K.job) then
    look_at_job(key)
  elseif begins_with(key, K.body) then
    local id = string.sub(key, #K.body + 1)
    if redis.call('EXISTS', K.job .. id) == 0 then say('payload_without_job', id) end
  elseif begins_with(key, K.dedupe) then
    local id = string.match(redis.call('GET', key) or '', '^([^|]+)|')
    if not id or redis.call('EXISTS', K.job .. id) == 0 then
      say('key_without_job', string.sub(key, #K.dedupe + 1))
    end
  elseif begins_with(key, K.lane_info) then
    look_at_lane(string.sub(key, #K.lane_info + 1))
  elseif begins_with(key, K.taken) then
    look_at_count(key)
  elseif begins_with(key, K.queue) then
    look_at_queue(string.sub(key, #K.queue + 1))
  elseif begins_with(key, K.lane) or begins_with(key, K.later) or begins_with(key, K.flying)
    or begins_with(key, K.window) then
    say('look', key)
  end
end

-- What must not be there, seen from the index.
local function look_at_member(index, id)
  if not belongs(index, id) then say('misplaced', index .. ' ' .. id) end
end

local next_cursor, page = '0', {}
if what == 'keys' then
  local every = string.gsub(K.job, 'job:$', '') .. '*'
  next_cursor, page = unpack(redis.call('SCAN', cursor, 'MATCH', every, 'COUNT', count))
  for _, key in ipairs(page) do look_at_key(key) end
  looked_at = #page
elseif redis.call('TYPE', what).ok == 'zset' then
  next_cursor, page = unpack(redis.call('ZSCAN', what, cursor, 'COUNT', count))
  for i = 1, #page, 2 do look_at_member(what, page[i]) end
  looked_at = #page / 2
elseif redis.call('TYPE', what).ok == 'set' then
  next_cursor, page = unpack(redis.call('SSCAN', what, cursor, 'COUNT', count))
  for _, id in ipairs(page) do look_at_member(what, id) end
  looked_at = #page
end
found[AT_CURSOR], found[AT_HOW_MANY] = next_cursor, text(looked_at)
return found
