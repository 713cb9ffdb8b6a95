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
