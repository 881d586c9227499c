-- luacheck looks at each script as Redis gets it, after its parts: infra/dev/lint_lua.py. What Redis gives scripts beside Lua 5.1's own:
std = {
  read_globals = {
    'ARGV', 'KEYS', 'cjson', 'redis', 'cmsgpack', 'struct', 'bit',
    'assert', 'error', 'getmetatable', 'ipairs', 'math', 'next', 'pairs', 'pcall', 'select', 'setmetatable', 'string', 'table',
    'tonumber', 'tostring', 'type', 'unpack', 'xpcall',
  },
}
max_line_length = 140
