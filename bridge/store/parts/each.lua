-- Many calls of a script in one: its arguments are those of the calls, one call after the other.

-- What failed, as an answer that names its script (bridge/store/redis/lua.py reads that).
--   name    of the script
--   failed  what `pcall` caught: a text, or a table for a command that Redis refused
-- Answers an error reply.
local function failure(name, failed)
  return redis.error_reply((type(failed) == 'table' and failed.err or failed) .. ', script: ' .. name)
end

-- Make each of the calls, each in the partition that its own key names.
--   name       of the script, for its errors
--   arguments  how many of ARGV are one call's
--   take       function that is given them
-- Answers a list of what `take` answers to each. An error is the answer to its own call alone.
local function each(name, arguments, take)
  local answers = {}
  for at = 1, #ARGV, arguments do
    prefix = KEYS[(at - 1) / arguments + 1]
    local done, answer = pcall(take, unpack(ARGV, at, at + arguments - 1))
    answers[#answers + 1] = done and answer or failure(name, answer)
  end
  return answers
end
