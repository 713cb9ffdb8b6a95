#!/bin/sh
# Every C file opens with its SPDX line and one sentence; tables (.def), Lua and shell with a sentence.
set -eu
# shellcheck disable=SC2016 # the dollars are for awk
{
	find host bindings tests tools -name '*.[ch]'
	find host -name '*.def'
	find scripts tests -name '*.lua'
	ls bootstrap tests/run tests/in_netns tests/*/run tests/lint/*.sh
} | sort | xargs awk '
function complain(what) {
	print FILENAME ": " what
	failed = 1
}

FNR == 1 {
	is_c = FILENAME ~ /\.[ch]$/
	is_open = 0
	count++
	if (is_c && $0 != "/* SPDX-License-Identifier: MIT */")
		complain("line 1 is not the SPDX line")
	else if (FILENAME ~ /\.def$/ && $0 !~ /^\/\* [A-Z]/)
		complain("line 1 does not say what a row is")
	else if (FILENAME ~ /\.lua$/ && $0 !~ /^-- [A-Za-z]/)
		complain("line 1 says no purpose")
}
FNR == 2 && FILENAME !~ /\./ && !/^# ./ { complain("line 2 says no purpose") }
FNR == 2 && FILENAME ~ /\.sh$/ && !/^# ./ { complain("line 2 says no purpose") }
FNR == 2 && is_c {
	is_open = /^\/\* [A-Za-z"]/
	if (!is_open)
		complain("line 2 opens no sentence on what it does")
}
is_open && /\*\// {
	if (!/[.] \*\/$/)
		complain("what line 2 opens ends without a full stop")
	is_open = 0
}
END {
	if (count < 50)
		complain("few files were found: is this the root of the project?")
	exit failed
}'
