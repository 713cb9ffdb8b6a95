#!/bin/sh
# All shell, POSIX or bats, as shellcheck likes it.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || {
	echo "missing: Debian package shellcheck"
	exit 1
}
shellcheck -x -s sh bootstrap .ci/run tests/run tests/in_netns tests/*/run tests/lint/*.sh
# SC2034, SC2154: what one file sets another reads; bats sets status, output and lines. SC2030, SC2031:
# each test is a subshell, so be it. SC2016: awk and Lua have dollars of their own.
shellcheck -x -s bash -e SC2034,SC2154 tests/e2e/common.bash
shellcheck -x -e SC2034,SC2154,SC1091,SC2030,SC2031,SC2016 tests/e2e/*.bats
