-- Records in the lane how messages ended, so that lists of conversations can be filtered by it.

-- Records of lanes that the script has read whole and writes whole in the end: by lane, a table of fields and values. What is
-- noted of such a lane meanwhile goes in there.
local whole = {}

-- Note how a message ended: the newest end as `ended`, and the newest of each status, and of each reason, as `ended:STATUS|REASON`.
-- A duplicate does not become the newest end, because it changes nothing for its conversation.
--   status  of the message
--   reason  of the end; empty: none
--   line    of the message (channel and conversation provider); empty: not known
local function note_end(lane, status, reason, line, at, retention)
  local record, moment = key('lane', lane), string.format('%d', at)
  local kind = line:match('^[^|]*')
  local fields = {'ended:' .. status, moment}
  if reason ~= '' then fields[3], fields[4] = 'ended:' .. status .. '|' .. reason, moment end
  if reason ~= 'duplicate' then
    fields[#fields + 1], fields[#fields + 2] = 'ended', table.concat({status, reason, kind, moment}, '|')
  end
  if whole[lane] then
    for place = 1, #fields, 2 do whole[lane][fields[place]] = fields[place + 1] end
    return
  end
  local added = redis.call('HSET', record, unpack(fields))
  -- A new record belongs to a lane without waiting messages: nothing else sets its expiry.
  if added == #fields / 2 and redis.call('HLEN', record) == added then redis.call('PEXPIRE', record, retention) end
end
