-- How messages of a conversation ended, in its lane's record: lists of conversations are filtered by it.

-- Records of lanes that the script has read whole and writes whole in the end: by lane, a table of fields and values. What is
-- noted of such a lane meanwhile goes in there.
local whole = {}

-- Note how a message ended: the newest end as `ended`, and the newest of each status, and of each reason, as `ended:STATUS|REASON`.
-- A duplicate is the newest end of nothing: its conversation stands as it did.
--   status  of the message
--   reason  likewise; empty: none
--   line    by which it came (channel and conversation provider); empty: not known
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
  -- A record that was not there before belongs to a lane in which nothing stands: nobody else gives it an expiry.
  if added == #fields / 2 and redis.call('HLEN', record) == added then redis.call('PEXPIRE', record, retention) end
end
