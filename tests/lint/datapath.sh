#!/bin/sh
# Between recv and send nothing allocates, locks, logs, prints, reads errno or makes a system call.
#
# How it is decided: gcc -O0 -fcallgraph-info writes down who calls whom in host/packet, host/policy
# and host/engine/datapath.c. Every function there is on the data path, but for those listed below as
# control. A function on the data path may call only others on it, what is allowed by name, and the
# single calls that are excepted.
# Whatever else is called is named with its line, so a new function is judged without being listed.
set -eu
command -v gcc >/dev/null || { echo "missing: Debian package gcc"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/control" <<'END'
# FILE FUNCTION...: these open, copy, print or close; no packet of a burst waits for them.
host/packet/packet.c slab_new slab_copy slot_grow packet_copy packet_new packet_from_bytes packet_grow
host/packet/pool.c pool_open pool_close
host/packet/names.c *
host/packet/dissect.c *
host/packet/print.c *
host/packet/print_arp.c *
host/packet/print_dns.c *
host/packet/print_icmp.c *
host/packet/print_icmpv6.c *
host/packet/print_ip.c *
host/packet/print_tcp.c *
host/packet/print_udp.c *
host/policy/compile.c *
host/policy/filter.c is_keyword count_of is_numeric word_next names_refuse is_one_of filter_surprise filter_surprise_text filter_open filter_close
host/policy/index.c key_values key_for run_longest pair_compare pairs_collect run_fill runs_find index_new index_free
host/policy/probe.c probe_of
host/policy/reflect.c prefixes_copy reflect_new reflect_release
host/policy/reject.c reject_new reject_release
host/policy/rule.c rule_new rule_words_set action_release rule_release table_alloc rule_table_edit rule_table_new rule_table_free
host/policy/set.c deeper set_new set_release set_fits
END

cat >"$work/allowed" <<'END'
# NAME...: why it may be called though it lies outside
memcpy memmove memset memcmp strcmp __builtin_memcpy __builtin_memset __builtin_memmove __builtin_memcmp: move bytes
bpf_filter: libpcap's interpreter: no memory, no system call
prefix_contains prefix_is_network_or_broadcast: compare bytes
lane_rules_swap: takes over what control has put down: atomic
port_tx_drop: a counter
__assert_fail __stack_chk_fail: end the process
__indirect_call: the ports' own I/O, the script, and who looks on, by their ops
END

cat >"$work/excepted" <<'END'
# FUNCTION CALLEE: why this one call is right
packet_free free: only of a copy, which control made; a pool's packet goes back to its shelf
END

flags="-std=c17 -D_GNU_SOURCE -O0 -I. -fcallgraph-info"
for file in host/packet/*.c host/policy/*.c host/engine/datapath.c; do
	name=$(echo "$file" | tr / -)
	# shellcheck disable=SC2086 # a list of flags
	gcc $flags -c "$file" -o "$work/${name%.c}.o"
done

# Lines: file function callee line. A static function is "file:function" in the graph.
sed -nE 's/^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^:"]+):([0-9]+).*/\1 \2 \3 \4/p' "$work"/*.ci |
	sed -E 's/^[^ ]*:([^ :]+) /\1 /; s/^([^ ]+) [^ ]*:([^ :]+) /\1 \2 /' |
	awk '{ print $3, $1, $2, $4 }' >"$work/calls"
sed -nE 's/^node: \{ title: "([^"]+)" label: "[^\\"]+\\n([^:"]+):[0-9]+[^}]*" \}$/\1 \2/p' "$work"/*.ci |
	sed -E 's/^[^ ]*:([^ :]+) /\1 /' | sort -u >"$work/defined"
if ! [ -s "$work/calls" ] || ! [ -s "$work/defined" ]; then
	echo "gcc wrote no call graph"
	exit 1
fi

awk -v work="$work" '
BEGIN {
	while ((getline line < (work "/control")) > 0) {
		n = split(line, word, " ")
		if (word[1] == "#" || n < 2)
			continue
		for (i = 2; i <= n; i++) {
			control[word[1], word[i]] = 1
			is_control[word[i]] = 1
			listed[word[1] " " word[i]] = 1
		}
	}
	while ((getline line < (work "/allowed")) > 0) {
		sub(/:.*/, "", line)
		n = split(line, word, " ")
		for (i = 1; i <= n; i++)
			allowed[word[i]] = 1
	}
	while ((getline line < (work "/excepted")) > 0) {
		split(line, word, /[ :]+/)
		excepted[word[1], word[2]] = 1
	}
	while ((getline line < (work "/defined")) > 0) {
		split(line, word, " ")
		defined[word[1]] = 1
		delete listed[word[2] " " word[1]]
		delete listed[word[2] " *"]
	}
}
{
	checked++
	if (control[$1, $2] || control[$1, "*"])
		next
	if (allowed[$3] || excepted[$2, $3] || (defined[$3] && !is_control[$3]))
		next
	printf "%s:%s: %s calls %s, which is not for the data path\n", $1, $4, $2, $3
	failed = 1
}
END {
	for (entry in listed) {
		printf "tests/lint/datapath.sh lists %s, which is gone\n", entry
		failed = 1
	}
	if (!checked) {
		print "no call was found"
		failed = 1
	}
	exit failed
}' "$work/calls" | sort -u >"$work/complaints"
cat "$work/complaints"
[ ! -s "$work/complaints" ]
