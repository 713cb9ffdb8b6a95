#!/bin/sh
# The include arrows: base <- packet <- policy; packet <- port; base <- netlink;
# {policy, port, netlink} <- engine <- cli <- main. bindings/ includes host/, never the reverse but for
# main.c; Lua's headers are for bindings/ alone; every project include is written from the root.
set -eu
grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' --include='*.def' host bindings tests tools |
	awk -F: '
BEGIN {
	may["host/base"] = "host/base"
	may["host/packet"] = may["host/base"] " host/packet"
	may["host/policy"] = may["host/packet"] " host/policy"
	may["host/port"] = may["host/packet"] " host/port"
	may["host/netlink"] = may["host/base"] " host/netlink"
	may["host/engine"] = may["host/policy"] " host/port host/netlink host/engine"
	may["host/cli"] = may["host/engine"] " host/cli"
	may["host"] = "host/cli bindings" # main.c
	may["bindings"] = may["host/cli"] " bindings"
	may["tests"] = may["host/cli"]
	may["tests/bench"] = may["tests"] " bindings" # puts Lua and the core together, as main.c does
	may["tools"] = may["host/packet"]
}

function complain(what) {
	print $1 ":" $2 ": " what
	failed = 1
}

function is_there(header,  line, result) {
	result = (getline line < header) >= 0
	close(header)
	return result
}

{
	seen++
	folder = $1
	sub("/[^/]*$", "", folder)
	name = $3
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
	is_ours = name ~ /^"/
	name = $3
	sub(/^[^<"]*[<"]/, "", name)
	sub(/[>"].*$/, "", name)
	if (name ~ /^(lua[a-z]*|lauxlib)\.h$/) {
		if (folder != "bindings" && folder != "tests/bench")
			complain("only bindings/ includes " name)
		next
	}
	if (!is_ours)
		next
	if (!is_there(name)) {
		complain("\"" name "\" is not written from the root")
		next
	}
	target = name
	sub("/[^/]*$", "", target)
	area = folder ~ /^tests/ && folder != "tests/bench" ? "tests" : folder
	if (folder ~ /^tests/ && target ~ /^tests/)
		next
	if (!(area in may))
		complain("say in tests/lint/includes.sh what " area "/ may include")
	else if (!index(" " may[area] " ", " " target " "))
		complain(area "/ may not include " target "/ (\"" name "\")")
}

END {
	if (!seen) {
		print "no include was found: is this the root of the project?"
		failed = 1
	}
	exit failed
}'
