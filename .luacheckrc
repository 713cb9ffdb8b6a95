-- What luacheck holds our Lua to.
std = "lua54"
max_line_length = 140
files["tests/spec"].std = "lua54+busted"
