-- What Google counts and how much of it is used: minutes and days; and the pauses that it asks for.
-- A meter is a mailbox in its project (`mailbox:project`), or a project. A leased job has its place in the
-- minute and the day of each already, so that no worker can find them full; it is given back where nothing
-- was sent.

-- Google's minute, and a little more because clocks are not equally fast.
local MINUTE = 60100
local DAY, SLOT = 86400000, 300000
-- The share of what Google allows that is used, evenly: its window slides, so a burst now is a refusal later.
local PACE = 0.98
-- So much lateness of our own is made up for, ms: a worker or a keeper that stopped for two seconds costs
-- nothing.
local LATE = 2500
-- A project that lets some leave is visited again after so many ms, not at its next slot: those that leave
-- together cost less, and lateness is made up for.
local GATHER = 100
-- Refused at less than was believed to be allowed, a meter goes slower, and recovers a hundredth a minute.
local SLOWER, SLOWEST, RECOVERY = 0.7, 0.1, 0.01 / 60000

-- Told that too many requests were under way at once, a mailbox takes half as many, at least one, and one
-- more after each five minutes without that.
local PLACE_RECOVERY = 300000

local function meter_of(mailbox, project) return mailbox .. ':' .. project end

-- Part of a millisecond counts where a project sends hundreds a second.
local function fine(number) return string.format('%.3f', number) end

-- The limits by which a lane's jobs leave, as the job keeps those by which it was leased.
local LIMITS = {'units_per_minute', 'send_units', 'project_units_per_minute', 'per_day',
  'project_units_per_day'}
local function limits_of(units, send_units, project_units, per_day, project_per_day)
  return (units or '') .. ' ' .. (send_units or '') .. ' ' .. (project_units or '') .. ' ' .. (per_day or '')
    .. ' ' .. (project_per_day or '')
end

-- Limits of a mailbox or project (`key`) are lower than those by which somebody may have been leased: Google
-- said so, or its lanes have different ones. As long as such a job may begin its key is there, so that
-- begin.lua looks at what is used once more.
local LOOK_AGAIN = 3600000
local function look_again(key, now)
  redis.call('HSET', key, 'look_again', text(now))
  if redis.call('PTTL', key) < LOOK_AGAIN then redis.call('PEXPIRE', key, LOOK_AGAIN) end
end

-- So many entries of a minute that has passed do no harm.
local FEW = 16
-- How many of this minute are used, with those that are leased; where it is far from what is allowed, some
-- that have left it may be among them.
local function minute_used(meter, now, allowed)
  local used = redis.call('ZCARD', K.window .. meter)
  if used == 0 or used < allowed and used <= FEW then return used end
  return used - redis.call('ZREMRANGEBYSCORE', K.window .. meter, '-inf', text(now))
end

-- How many requests so many units a minute, or a day, are good for.
local function sends(units, send_units) return math.max(1, math.floor(units / send_units)) end

-- When the next of them leaves the minute; nil if one that is leased has to end first.
local function minute_frees(meter)
  local _, frees = unpack(redis.call('ZRANGE', K.window .. meter, 0, 0, 'WITHSCORES'))
  if frees ~= 'inf' then return tonumber(frees) end
end

-- When a meter may be used next, how many units it has a minute (less than the configured ones if Google said
-- so), the share of them that is used for now, since when it has waited for its minute, or 0, and when it was
-- last said how long it is kept, or 0.
local function pace_of(meter, units, now)
  local next, share, lowered_at, told, told_until, waited, kept = unpack(redis.call('HMGET', K.pace .. meter,
    'next', 'share', 'lowered_at', 'told', 'told_until', 'waited', 'kept'))
  if tonumber(told_until or '0') > now then units = math.min(units, tonumber(told)) end
  share = share and math.min(1, tonumber(share) + (now - tonumber(lowered_at)) * RECOVERY) or 1
  return tonumber(next or '0'), units, share, tonumber(waited or '0'), tonumber(kept or '0')
end

-- Ms from one request to the next.
local function interval(units, share, send_units)
  return math.ceil(60000000 * send_units / (units * PACE * share)) / 1000
end

local function set_next(meter, next)
  redis.call('HSET', K.pace .. meter, 'next', fine(next), 'waited', '0')
  redis.call('PEXPIRE', K.pace .. meter, DAY)
end

-- Google refused what was believed to be allowed. `told` is how many units a minute it says that it allows,
-- or 0; it is believed for a day. Gives the share of `units` that is left, or nil if that is nothing new.
local function slow_down(meter, units, told, begun_at, now)
  local key = K.pace .. meter
  local told_before, told_until, lowered_at =
    unpack(redis.call('HMGET', key, 'told', 'told_until', 'lowered_at'))
  if told > 0 and told < units then
    local known = tonumber(told_before or '0') == told and tonumber(told_until) > now
    if known and begun_at < tonumber(told_until) - DAY then return nil end -- it left before that was known
    redis.call('HSET', key, 'told', text(told), 'told_until', text(now + DAY))
    redis.call('PEXPIRE', key, 2 * DAY)
    if not known then return told / units end -- else others use the same limit: slower than that
  end

  if begun_at < tonumber(lowered_at or '0') then return nil end -- it left before the pace was lowered
  local _, _, share = pace_of(meter, units, now)
  share = math.max(SLOWEST, share * SLOWER)
  redis.call('HSET', key, 'share', fine(share), 'lowered_at', text(now))
  redis.call('PEXPIRE', key, DAY)
  return share
end

-- How many requests a mailbox may have under way at once: `configured`, or fewer for now. `places` and
-- `lowered_at` are its fields `places` and `places_at`.
local function places_of(configured, places, lowered_at, now)
  local lowered = tonumber(places or '')
  if not lowered then return configured end
  local since = math.max(0, now - (tonumber(lowered_at or '0') or 0))
  return math.min(configured, lowered + math.floor(since / PLACE_RECOVERY))
end

-- Google said that too many were under way. Gives how many may be from now on, or nil if that is nothing new.
local function fewer_places(key, configured, begun_at, now)
  local places, lowered_at = unpack(redis.call('HMGET', key, 'places', 'places_at'))
  if begun_at < tonumber(lowered_at or '0') then return nil end -- it left before there were fewer
  places = math.max(1, math.floor(places_of(configured, places, lowered_at, now) / 2))
  redis.call('HSET', key, 'places', text(places), 'places_at', text(now))
  if redis.call('PTTL', key) < DAY then redis.call('PEXPIRE', key, DAY) end
  return places
end

-- How many of the last 24 hours are counted; a slot of five minutes counts until its end is a day ago.
local function day_used(name, now)
  local key = K.day .. name
  local total, oldest = unpack(redis.call('HMGET', key, 'total', 'oldest'))
  if not total then return 0 end

  total, oldest = tonumber(total), tonumber(oldest)
  local first = math.floor((now - DAY) / SLOT)
  if oldest >= first then return total end
  if oldest < first - 2 * DAY / SLOT then -- all of it is over
    redis.call('DEL', key)
    return 0
  end
  for slot = oldest, first - 1 do
    local count = redis.call('HGET', key, text(slot))
    if count then
      total = total - tonumber(count)
      redis.call('HDEL', key, text(slot))
    end
  end
  redis.call('HSET', key, 'total', text(total), 'oldest', text(first))
  return total
end

-- When the next of them are a day ago.
local function day_frees(name)
  local key = K.day .. name
  local slot = tonumber(redis.call('HGET', key, 'oldest'))
  for _ = 0, DAY / SLOT do
    if tonumber(redis.call('HGET', key, text(slot)) or '0') > 0 then break end
    slot = slot + 1
  end
  return (slot + 1) * SLOT + DAY
end

local function count_in_day(name, slot, by)
  local key = K.day .. name
  if by < 0 and redis.call('HEXISTS', key, text(slot)) == 0 then return end -- it is no longer counted
  local count = redis.call('HINCRBY', key, text(slot), by)
  redis.call('HINCRBY', key, 'total', by)
  if count == 1 and by > 0 then
    redis.call('HSETNX', key, 'oldest', text(slot))
    redis.call('PEXPIREAT', key, text((slot + 2) * SLOT + DAY))
  end
end

-- A minute is kept for an hour after its last use, a pace for a day; that is said anew so often.
local KEPT, RENEW = 3600000, 900000

-- Jobs are leased: they have their places (scores and names) in the minute of a meter, and it goes on to
-- `found.next`. `found` is what was found of it before.
local function take_places(meter, found, places, now)
  local renew = now - found.kept > RENEW
  redis.call('ZADD', K.window .. meter, unpack(places))
  if renew or found.empty then redis.call('PEXPIRE', K.window .. meter, KEPT) end
  local waited = found.waited > 0
  if not renew and not waited then
    redis.call('HSET', K.pace .. meter, 'next', fine(found.next))
    return
  end
  redis.call('HSET', K.pace .. meter, 'next', fine(found.next), 'waited', '0',
    'kept', text(renew and now or found.kept))
  if renew then redis.call('PEXPIRE', K.pace .. meter, DAY) end
end

-- What a day has: how many are counted, of those in this slot, its oldest slot, and the limits by which the
-- last one was leased.
local function day_of(name, slot, now)
  local function read()
    local total, oldest, count, limits =
      unpack(redis.call('HMGET', K.day .. name, 'total', 'oldest', text(slot), 'limits'))
    return {total = tonumber(total or '0'), oldest = oldest, count = tonumber(count or '0'), limits = limits}
  end
  local day = read()
  if not day.oldest or tonumber(day.oldest) >= math.floor((now - DAY) / SLOT) then return day end
  day_used(name, now)
  return read()
end

-- So many of them are leased now; `day` has them in its total already, and their limits.
local function take_of_day(name, slot, day, by)
  local key, this = K.day .. name, text(slot)
  redis.call('HSET', key, this, text(day.count + by), 'total', text(day.total), 'oldest', day.oldest or this,
    'limits', day.limits)
  if day.count == 0 then redis.call('PEXPIREAT', key, text((slot + 2) * SLOT + DAY)) end
end

-- It became no message: the day does not count it.
local function uncount_day(id, job)
  if not job.day then return end
  count_in_day(job.mailbox, tonumber(job.day), -1)
  count_in_day(job.project, tonumber(job.day), -1)
  redis.call('HDEL', K.job .. id, 'day')
end

-- What Google may have seen of a leased job stays in its minute for as long.
local function keep_in_minute(meter, id, attempt, now)
  redis.call('ZADD', K.window .. meter, text(now + MINUTE), id .. ':' .. attempt)
  -- Last: a window that is empty for a moment loses its time to live.
  redis.call('ZREM', K.window .. meter, id)
end

-- A leased job ends, or goes back. What Google may have seen stays in its minute for as long; of what never
-- left the places and the time are given back.
local function count_out(id, job, outcome, now)
  local seen = job.state == 'sending' and outcome ~= 'not_sent'
  local steps = {job.step, job.project_step}
  for i, meter in ipairs({meter_of(job.mailbox, job.project), job.project}) do
    if seen then
      keep_in_minute(meter, id, job.attempt, believed(now))
    else
      local next = steps[i] and redis.call('HGET', K.pace .. meter, 'next')
      if next then redis.call('HSET', K.pace .. meter, 'next', fine(tonumber(next) - tonumber(steps[i]))) end
      redis.call('ZREM', K.window .. meter, id)
    end
  end
  if not seen and job.step then redis.call('ZADD', K.wake, 'XX', 'INCR', '-' .. job.step, job.connection) end
  redis.call('HDEL', K.job .. id, 'step', 'project_step', 'limits', 'leave_at')
  if is_leased(job) and (not seen or outcome == 'rejected') then uncount_day(id, job) end
end

-- Let nothing leave a mailbox or project (`key`) before `deadline`. A deadline that Google named counts if it
-- is the latest; one of our own only for requests begun after the present pause was set. Then one job goes
-- first, to probe.
local function pause(key, deadline, named, begun_at, reason, now)
  local cooling, cooled_at = unpack(redis.call('HMGET', key, 'cooling', 'cooled_at'))
  if not named and begun_at < tonumber(cooled_at or '0') then return false end
  if deadline <= tonumber(cooling or '0') then return false end
  redis.call('HSET', key, 'cooling', text(deadline), 'cooled_at', text(now), 'cool_reason', reason,
    'probe', '1')
  redis.call('PEXPIREAT', key, text(deadline + 3600000))
  return true
end

-- Gmail took a message: what was paused works again, unless another pause has begun meanwhile.
local function works(key, now)
  if redis.call('EXISTS', key) == 0 then return end
  if tonumber(redis.call('HGET', key, 'cooling') or '0') <= now then
    redis.call('HDEL', key, 'probe', 'cooling', 'cool_reason', 'cooled_at', 'strikes', 'unknowns')
  else
    redis.call('HDEL', key, 'unknowns')
  end
end
