#!/bin/sh
# Every header compiles alone, and twice, without a warning.
set -eu
for tool in gcc pkg-config; do
	command -v "$tool" >/dev/null || { echo "missing: Debian package $tool"; exit 1; }
done
pkg-config --exists lua5.4 libmnl libpcap || { echo "missing: Debian package liblua5.4-dev, libmnl-dev or libpcap0.8-dev"; exit 1; }
host_flags=$(pkg-config --cflags libmnl libpcap)
lua_flags=$(pkg-config --cflags lua5.4)
failed=0
count=0
for header in host/*/*.h bindings/*.h tests/*/*.h; do
	[ -f "$header" ] || continue
	flags=$host_flags
	case $header in
	bindings/*) flags="$host_flags $lua_flags" ;;
	esac
	count=$((count + 1))
	# shellcheck disable=SC2086 # a list of flags
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		gcc -std=c17 -D_GNU_SOURCE -I. $flags -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-function -Werror \
			-fsyntax-only -x c - || { echo "$header: does not compile alone"; failed=1; }
done
[ "$count" -gt 0 ] || { echo "no header was found: is this the project's root?"; exit 1; }
exit "$failed"
