# What moontap prints of a packet, held against what other programs print of the same packet.
load common

@test "tostring(pkt) is tcpdump's line for every captured packet" {
  for capture in "$TESTS"/captures/*.pcap*; do
    tcpdump -# -n -S -t -r "$capture" >"$BATS_TEST_TMPDIR/$(basename "${capture%.pcap*}").txt" 2>/dev/null
  done
  "$MOONTAP" run "$TESTS/e2e/print_lines.lua" "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/out" 2>&1 ||
    { cat "$BATS_TEST_TMPDIR/out"; return 1; }
  cat "$BATS_TEST_TMPDIR/out"
}

# What tshark says of every field, of all captures: two at a time, they take a second each.
@test "every field has tshark's value in every captured packet" {
  "$MOONTAP" run "$TESTS/e2e/field_values.lua" names >"$BATS_TEST_TMPDIR/names"
  # shellcheck disable=SC2016 # for the inner shell
  printf '%s\n' "$TESTS"/captures/*.pcap* | NAMES="$(cat "$BATS_TEST_TMPDIR/names")" xargs -P 2 -I {} sh -c '
    capture=$1
    tshark -n -r "$capture" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -o tcp.desegment_tcp_streams:FALSE \
      -T fields -E occurrence=a -E "aggregator=|" -e frame.protocols $NAMES \
      >"$2/$(basename "${capture%.pcap*}").txt" 2>/dev/null' - {} "$BATS_TEST_TMPDIR"
  "$MOONTAP" run "$TESTS/e2e/field_values.lua" "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/out" 2>&1 ||
    { cat "$BATS_TEST_TMPDIR/out"; return 1; }
  cat "$BATS_TEST_TMPDIR/out"
}
