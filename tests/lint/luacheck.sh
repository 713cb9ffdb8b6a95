#!/bin/sh
# All Lua is luacheck clean (.luacheckrc).
set -eu
command -v luacheck >/dev/null || { echo "missing: Debian package lua-check"; exit 1; }
exec luacheck --quiet --no-color scripts tests
