-- Pay for requests that are no sends out of a mailbox's minute, or say that there is no room for them now.
-- KEYS  none declared; K.lane_info (hash), K.mailbox (hash), K.begins (zset)
-- ARGV  1 connection · 2 units · 3 nonce of this call · 4 clock ms or ''
-- Gives 1 if paid, else 0 and nothing was changed. Called again with the same nonce it pays once.
local info = redis.call('HMGET', K.lane_info .. ARGV[1], 'mailbox', 'units_per_minute', 'send_units')
if not info[1] then return 0 end
local now, leapt = read_clock(ARGV[4])
local begins, slots = K.begins .. info[1], math.ceil(tonumber(ARGV[2]) / tonumber(info[3]))
if redis.call('ZSCORE', begins, ARGV[3] .. ':1') then return 1 end
if leapt then return 0 end -- the mailbox's next slot would be as far ahead
if tonumber(redis.call('HGET', K.mailbox .. info[1], 'cooling') or '0') > now then return 0 end
redis.call('ZREMRANGEBYSCORE', begins, '-inf', text(now - 61000))
if redis.call('ZCARD', begins) + slots > math.floor(tonumber(info[2]) / tonumber(info[3])) then return 0 end
for n = 1, slots do redis.call('ZADD', begins, text(now), ARGV[3] .. ':' .. n) end
redis.call('PEXPIRE', begins, 120000)
-- The next send waits as if these had been sends.
local interval = math.ceil(60000 * tonumber(info[3]) / (tonumber(info[2]) * 0.98))
local slot = math.max(tonumber(redis.call('HGET', K.mailbox .. info[1], 'next') or '0'), now)
redis.call('HSET', K.mailbox .. info[1], 'next', text(slot + slots * interval))
redis.call('PEXPIREAT', K.mailbox .. info[1], text(slot + slots * interval + 3600000))
return 1
