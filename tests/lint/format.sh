#!/bin/sh
# All C is as clang-format leaves it. To mend: clang-format -i FILE...
set -eu
command -v clang-format >/dev/null || { echo "missing: Debian package clang-format"; exit 1; }
find host bindings tests tools -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror --style=file 2>&1 |
	awk '/: error: |not support/
	/./ { failed = 1 } END { exit failed }'
[ -f host/main.c ] || { echo "no C was found: is this the project's root?"; exit 1; }
