-- Rename keys. If the new name exists already, its value is newer, and the old key is deleted.
--   KEYS[1...]  old name, new name, old name, new name
-- Answers how many were renamed.
local renamed = 0
for at = 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[at]) == 1 then
    if redis.call('RENAMENX', KEYS[at], KEYS[at + 1]) == 1 then renamed = renamed + 1 else redis.call('DEL', KEYS[at]) end
  end
end
return renamed
