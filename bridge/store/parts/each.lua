-- Runs several calls of a script in one: ARGV holds the arguments of one call after the other.

-- An error reply that names the script (bridge/store/redis/lua.py reads it).
--   name    of the script
--   failed  the error that `pcall` caught: a text, or a table for a command that Redis refused
-- Answers an error reply.
local function failure(name, failed)
  return redis.error_reply((type(failed) == 'table' and failed.err or failed) .. ', script: ' .. name)
end

-- Make each of the calls.
--   name       of the script, for its errors
--   arguments  how many of ARGV are one call's
--   take       function that is called with them
-- Answers a list of the results of `take`. An error is the result of its own call only.
local function each(name, arguments, take)
  local answers = {}
  for at = 1, #ARGV, arguments do
    local done, answer = pcall(take, unpack(ARGV, at, at + arguments - 1))
    answers[#answers + 1] = done and answer or failure(name, answer)
  end
  return answers
end
