#!/bin/sh
# No function of host/ and bindings/ is longer than 60 lines, no file longer than 500. Formatted as
# clang-format has it, a function's body is what stands between "{" and "}" in the first column.
set -eu
awk '
FNR == 1 && last { file_end() }
FNR == 1 { files++ }
{ last = FNR; name = FILENAME }
/^[A-Za-z].*\(/ { head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head) }
/^\{/ { start = FNR }
/^\}/ && start {
	functions++
	if (FNR - start + 1 > 60) {
		printf "%s:%d: %s has %d lines, more than 60\n", FILENAME, start, head, FNR - start + 1
		failed = 1
	}
	start = 0
}
function file_end() {
	if (last > 500) {
		printf "%s has %d lines, more than 500: it wants to be two\n", name, last
		failed = 1
	}
}
END {
	file_end()
	if (!files || !functions) {
		print "no function was found"
		failed = 1
	}
	exit failed
}' host/*.c host/*/*.[ch] bindings/*.[ch]
