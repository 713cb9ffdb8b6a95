#!/bin/sh
# All C of host/ and bindings/ passes clang-tidy's bugprone checks (.clang-tidy).
set -eu
command -v clang-tidy >/dev/null || { echo "missing: Debian package clang-tidy"; exit 1; }
command -v pkg-config >/dev/null || { echo "missing: Debian package pkg-config"; exit 1; }
flags="-std=c17 -D_GNU_SOURCE -DMOONTAP_VERSION=\"0\" -I. $(pkg-config --cflags lua5.4 libmnl libpcap | sed 's/-I/-isystem /g')"
# xargs ends with 123 where one of them failed.
# shellcheck disable=SC2086,SC2016 # a list of flags; the inner shell expands
printf '%s\n' host/*.c host/*/*.c bindings/*.c |
	xargs -P 2 -n 8 sh -c 'flags=$0; clang-tidy --quiet "$@" -- $flags 2>/dev/null' "$flags"
