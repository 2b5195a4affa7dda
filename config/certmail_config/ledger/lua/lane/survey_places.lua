-- Say how many of its lane leave before each job; of a scheduled one those that wait for the same time or an
-- earlier one.
-- KEYS  none declared; reads K.lane, K.later
-- ARGV  3 for each job: 1 'ready' or 'scheduled' · 2 connection · 3 id
-- Gives for each its place from 0, or nil where it does not wait so.
local FIELDS = 3

local function place_of(state, connection, id)
  return redis.call('ZRANK', (state == 'ready' and K.lane or K.later) .. connection, id)
end

local places = {}
for at = 1, #ARGV, FIELDS do
  places[#places + 1] = place_of(unpack(ARGV, at, at + FIELDS - 1))
end
return places
