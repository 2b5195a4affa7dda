-- The pacer's step: lease one job of each lane whose time has come, as far as workers have room.
-- KEYS  none declared; K.wake (zset), K.lane (zset), K.lane_info (hash), K.mailbox (hash), K.flying, K.blocked, K.leased, K.ringing (sets),
--       K.due (zset), K.job (hash), K.workers (zset), K.capacity (hash)
-- ARGV  1 most jobs to lease · 2 doorbell lease ms: how long the doorbell may take to be claimed
--       3 most unanswered doorbells per live worker · 4 clock ms or ''
-- Gives {ms until the next lane may send, or '' if none waits, id, id, …}, or {'stopped', why} when nothing may leave at all.
-- A lease is no event: it proves nothing and returns by itself.
local most, doorbell_lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local now, leapt = read_clock(ARGV[4])
if leapt then return {'stopped', 'clock_leapt'} end
if unchecked() then return {'stopped', 'unchecked'} end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', K.workers, '-inf', text(now))) do
  redis.call('ZREM', K.workers, worker)
  redis.call('HDEL', K.capacity, worker)
end
local room = -redis.call('SCARD', K.leased)
for _, capacity in ipairs(redis.call('HVALS', K.capacity)) do room = room + tonumber(capacity) end
-- A doorbell that is answered too late was rung in vain: no more are out than workers answer at once.
local unanswered = redis.call('ZCARD', K.workers) * tonumber(ARGV[3]) - redis.call('SCARD', K.ringing)
room = math.min(room, most, unanswered)

-- The next slot of a mailbox. Lateness of our own, less than an interval, is made up for; idle time is not, or a
-- mailbox that rested would begin with a burst.
local function next_slot(slot, interval)
  if slot > now - interval then return slot + interval end
  return now + interval
end

-- The oldest job of the lane whose time has not passed.
local function pop(lane)
  while true do
    local popped = redis.call('ZPOPMIN', K.lane .. lane)
    if #popped == 0 then return nil end
    local id = popped[1]
    local job = load_job(id)
    if job and job.state == 'ready' then
      if tonumber(job.expires_at) > now then return id, job end
      expire(id, job, now)
    end
  end
end

local leased = {}
-- One visit may lease one job; returns false when the lane must not be visited again now.
local function visit(lane)
  local info = redis.call('HMGET', K.lane_info .. lane, 'state', 'mailbox', 'units_per_minute', 'in_flight', 'send_units')
  if info[1] ~= 'open' or redis.call('ZCARD', K.lane .. lane) == 0 then
    redis.call('ZREM', K.wake, lane)
    return
  end
  local mailbox = info[2]
  local pace = redis.call('HMGET', K.mailbox .. mailbox, 'next', 'cooling', 'probe')
  local slot, cooling = tonumber(pace[1] or '0'), tonumber(pace[2] or '0')
  if cooling > now then
    redis.call('ZADD', K.wake, text(cooling), lane)
    return
  end
  local flying = redis.call('SCARD', K.flying .. mailbox)
  local limit = pace[3] == '1' and 1 or tonumber(info[4])
  if flying >= limit then
    redis.call('ZREM', K.wake, lane)
    redis.call('SADD', K.blocked .. mailbox, lane)
    return
  end
  if slot > now then
    redis.call('ZADD', K.wake, text(slot), lane)
    return
  end
  local id, job = pop(lane)
  if not id then
    redis.call('ZREM', K.wake, lane)
    return
  end
  local lease = now + doorbell_lease
  redis.call('HSET', K.job .. id, 'state', 'dispatched', 'dispatched_at', text(now), 'lease', text(lease), 'mailbox', mailbox)
  redis.call('HDEL', K.job .. id, 'nonce', 'worker', 'not_before')
  redis.call('ZADD', K.due, text(lease), id)
  redis.call('SADD', K.leased, id)
  redis.call('SADD', K.ringing, id)
  redis.call('SADD', K.flying .. mailbox, id)
  -- 98 % of what Google allows, evenly: its window slides, so a burst now is a refusal later.
  local interval = math.ceil(60000 * tonumber(info[5]) / (tonumber(info[3]) * 0.98))
  local next = next_slot(slot, interval)
  redis.call('HSET', K.mailbox .. mailbox, 'next', text(next))
  redis.call('PEXPIREAT', K.mailbox .. mailbox, text(math.max(next, cooling) + 3600000))
  redis.call('ZADD', K.wake, text(next), lane)
  leased[#leased + 1] = id
end

local visits = 0
while #leased < room and visits < 4 * most do
  local lanes = redis.call('ZRANGEBYSCORE', K.wake, '-inf', text(now), 'LIMIT', 0, room - #leased)
  if #lanes == 0 then break end
  for _, lane in ipairs(lanes) do
    visits = visits + 1
    visit(lane)
  end
end

local first = redis.call('ZRANGE', K.wake, 0, 0, 'WITHSCORES')
local answer = {first[2] and text(math.max(tonumber(first[2]) - now, 0)) or ''}
for _, id in ipairs(leased) do answer[#answer + 1] = id end
return answer
