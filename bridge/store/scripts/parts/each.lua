-- Many calls of a script in one: its arguments are those of the calls, one call after the other.

-- Answers what `take` answers to each of them. An error is the answer to its own call alone.
local function each(arguments, take)
  local answers = {}
  for at = 1, #ARGV, arguments do
    local done, answer = pcall(take, unpack(ARGV, at, at + arguments - 1))
    answers[#answers + 1] = (done or type(answer) == 'table') and answer or redis.error_reply(answer)
  end
  return answers
end
