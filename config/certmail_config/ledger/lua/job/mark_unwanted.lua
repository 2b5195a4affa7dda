-- Say of a campaign's reviewers, or of all of it, that no reminder of theirs is wanted from now on, or that
-- they are wanted again. begin.lua looks; no job is touched.
-- KEYS  none declared; K.unwanted (hash)
-- ARGV  1 tenant · 2 campaign, hashed · 3 how long it is kept, ms
--       then of each reviewer (hashed; '*': the whole campaign) the mark (complete, replaced, withdrawn;
--       of a campaign paused, stopped), or '' where its reminders are wanted again
-- Gives how many marks there are then. Called again it changes nothing more.
local tenant, campaign, keep_ms = unpack(ARGV, 1, 3)
local FIRST = 4
local key = K.unwanted .. tenant .. ':' .. campaign
for at = FIRST, #ARGV, 2 do
  local reviewer, mark = unpack(ARGV, at, at + 1)
  if mark == '' then redis.call('HDEL', key, reviewer) else redis.call('HSET', key, reviewer, mark) end
end
redis.call('PEXPIRE', key, keep_ms)
return redis.call('HLEN', key)
