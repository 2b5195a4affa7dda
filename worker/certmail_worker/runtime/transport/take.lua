-- take: take messages from the queue, and keep each as unacknowledged, in one step.
--
-- Between the two, kombu's own channel has a moment in which a message is nowhere.
-- A doorbell has a thousand bytes. What is much larger is none: it is handed over to be dropped, and not kept.
--
-- KEYS  1 queue            the list of messages, the oldest last
--       2 unacked          hash: delivery tag -> the message, as kombu restores it
--       3 unacked_index    sorted set: delivery tag -> when it was taken
-- ARGV  1 taken_at         seconds
--       2 count            how many to take
--       3 exchange         JSON: where they were sent to
--       4 routing_key      JSON
--       5... raw           messages that were taken from the queue before
-- Gives tag, message, tag, message, ...; an empty tag is that of a message without one, not kept.

local queue, unacked, unacked_index = KEYS[1], KEYS[2], KEYS[3]
local taken_at, count = ARGV[1], tonumber(ARGV[2])
local route = ', ' .. ARGV[3] .. ', ' .. ARGV[4] .. ']'

-- Bytes: of a message that is kept, and of all messages of one step.
local MAX_KEPT, MAX_STEP = 65536, 262144

local taken, bytes = {unpack(ARGV, 5)}, 0
for _, raw in ipairs(taken) do bytes = bytes + #raw end
while count > 0 and bytes < MAX_STEP do
  local raw = redis.call('RPOP', queue)
  if not raw then break end
  taken[#taken + 1] = raw
  bytes, count = bytes + #raw, count - 1
end

local answer, kept, index = {}, {}, {}
for _, raw in ipairs(taken) do
  local tag = #raw <= MAX_KEPT and string.match(raw, '"delivery_tag": ?"([%w-]+)"') or ''
  answer[#answer + 1] = tag
  answer[#answer + 1] = raw
  if tag ~= '' then
    kept[#kept + 1] = tag
    kept[#kept + 1] = '[' .. raw .. route
    index[#index + 1] = taken_at
    index[#index + 1] = tag
  end
end

if #kept > 0 then
  redis.call('HSET', unacked, unpack(kept))
  redis.call('ZADD', unacked_index, unpack(index))
end
return answer
