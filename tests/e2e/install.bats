#!/usr/bin/env bats
# An installed binary finds its scripts, wherever it was installed to and is called from.

setup() {
  load common
  common_setup
  build=$(realpath "$(dirname "$MOONTAP")/..")
  root=$BATS_TEST_TMPDIR/root
}
teardown() { common_teardown; }

answers_pings() {
  run timeout -s KILL 20 "$@" run -q -- ping -c 1 -w 10 192.168.1.100
  [ "$status" = 0 ]
  [[ $output == *"1 received"* ]]
}

@test "cmake --install --prefix: scripts are found" {
  cmake --install "$build" --prefix "$root" >/dev/null
  answers_pings "$root/bin/moontap"
  for script in ping ping_by_hand watch; do
    diff "$root/share/moontap/scripts/$script.lua" "$TESTS/../scripts/$script.lua"
  done
  run "$root/bin/moontap" run pnig
  [ "$output" = "moontap: pnig: no such script (did you mean ping?)" ]
}

@test "DESTDIR: scripts are found, also after a move and through a link" {
  DESTDIR=$root cmake --install "$build" --prefix /opt/moontap >/dev/null
  answers_pings "$root/opt/moontap/bin/moontap"
  mv "$root/opt/moontap" "$root/elsewhere"
  ln -s "$root/elsewhere/bin/moontap" "$root/link"
  cd /
  answers_pings "$root/link"
  PATH=$root/elsewhere/bin:$PATH answers_pings moontap
}

@test "an installation without its scripts says so" {
  cmake --install "$build" --prefix "$root" >/dev/null
  rm -r "$root/share/moontap/scripts"
  run "$root/bin/moontap" run
  echo "$output"
  [ "$status" = 1 ]
  [ "$output" = "moontap: ping: no such script (a file: none are installed with this executable)" ]
  run "$root/bin/moontap" demo
  [ "$status" = 1 ]
  [ "$output" = "moontap: demo: the script ping.lua is not beside this executable (install it with cmake --install, or run it from the build tree)" ]
}

@test "nothing but what belongs there is installed" {
  cmake --install "$build" --prefix "$root" >/dev/null
  [ -x "$root/bin/moontap" ]
  [ -z "$(find "$root/share/moontap/scripts" -type f ! -name '*.lua')" ]
}
