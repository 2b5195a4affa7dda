-- Say how many of its lane leave before each job; of a scheduled one those that wait for the same time or an earlier one.
-- KEYS  none declared; reads K.lane, K.later
-- ARGV  3 for each job: 'ready' or 'scheduled' · connection · id
-- Gives for each its place from 0, or nil where it does not wait so.
local places = {}
for at = 1, #ARGV, 3 do
  local index = ARGV[at] == 'ready' and K.lane or K.later
  places[#places + 1] = redis.call('ZRANK', index .. ARGV[at + 1], ARGV[at + 2])
end
return places
