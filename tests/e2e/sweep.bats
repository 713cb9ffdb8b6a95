#!/usr/bin/env bats
# 65,536 echo requests of 8 bytes, one for each sequence number, walk through all request checksums:
# the sloppy ways to update a checksum fail for 7, or for 2,047 of them. The kernel's count of
# checksum errors tells, ping alone might not notice.

setup() { load common; common_setup; }
teardown() { common_teardown; }

# sweep SCRIPT ADDR: nothing lost, nothing wrong. What a script prints is looked at elsewhere.
sweep() {
  out=/dev/null
  start_moontap --stats "$1"
  pings_are_answered 65536 -q -f -s 0 "$2" || {
    ip -s link show tun0
    return 1
  }
  stop_moontap
  [ "$(checksum_errors)" = "$errors_before" ]
  assert_counts_add_up "$BATS_TEST_TMPDIR/err"
  grep -Eq '(replied|rewritten) 65536 ' "$BATS_TEST_TMPDIR/err"
}

@test "ping.lua answers all 65,536 checksums, v4" { sweep ping 192.168.1.100; }

@test "ping.lua answers all 65,536 checksums, v6" { sweep ping 2001:db8:1::77; }

@test "ping_by_hand.lua answers all 65,536 checksums, v4" { sweep ping_by_hand 192.168.1.100; }

@test "ping_by_hand.lua answers all 65,536 checksums, v6" { sweep ping_by_hand 2001:db8:1::77; }
