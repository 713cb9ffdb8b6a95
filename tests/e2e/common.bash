# What the e2e tests share: load common. Each file runs in a network namespace of its own (see run).

# Starts moontap in the background; waits until its device (tun0, or $device) is up. Its output goes
# to $BATS_TEST_TMPDIR/out (or $out) and err, its pid is $moontap_pid.
start_moontap() {
  # bats waits for whatever holds its descriptor 3
  "$MOONTAP" run "$@" >"${out:-$BATS_TEST_TMPDIR/out}" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  moontap_pid=$!
  for _ in $(seq 200); do
    ip -o link show "${device:-tun0}" up 2>/dev/null | grep -q . && return 0
    kill -0 "$moontap_pid" 2>/dev/null || break
    sleep 0.02
  done
  cat "$BATS_TEST_TMPDIR/err" >&2
  return 1
}

# wait_for COMMAND...: until it succeeds; a machine that is busy may take its time.
wait_for() {
  local end=$((SECONDS + 30))
  while [ "$SECONDS" -lt "$end" ]; do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.05
  done
  "$@"
}

# Waits until it has printed $1, or said it on stderr.
said() {
  wait_for grep -q -- "$1" "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" && return 0
  cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
  return 1
}

# link_state NAME STATE: as ip prints it.
link_state() { [[ $(ip -o link show "$1") == *" state $2 "* ]]; }

# Ends it in order and checks that it says 0.
stop_moontap() {
  local pid=$moontap_pid
  moontap_pid=
  kill -INT "$pid"
  wait "$pid"
}

# The kernel's count of ICMP echo replies that came in, v4 and v6 together.
echo_replies() {
  awk '/^Icmp: [0-9]/ { n += $11 } /^Icmp6InEchoReplies/ { n += $2 } END { print n }' \
    /proc/net/snmp /proc/net/snmp6
}

replies_have_come() { [ $(($(echo_replies) - replies_before)) -ge "$1" ]; }

# pings_are_answered COUNT ADDR OPTIONS...: so many go out, so many come back as they were sent. With
# -w ping would send more until COUNT have come back: a lost one has to show, so the clock is ours.
# After its last one ping waits for an interval or two trips, which is too short on a loaded machine:
# what is late for it the kernel has counted.
pings_are_answered() {
  local count=$1 replies_before
  shift
  replies_before=$(echo_replies)
  run timeout -s INT 100 ping -n -c "$count" "$@"
  if [[ $output == *"$count packets transmitted, "* ]] &&
    [[ $output != *wrong* && $output != *DUP* && $output != *truncated* ]] &&
    { [ "$status" = 0 ] || [[ $output == *" received, "* ]]; } &&
    wait_for replies_have_come "$count"; then
    return 0
  fi
  echo "ping $*: $output"
  return 1
}

# The kernel's count of ICMP checksum errors, v4 and v6 together.
checksum_errors() {
  awk '/^Icmp: [0-9]/ { print $4 }' /proc/net/snmp
  awk '/^Icmp6InCsumErrors/ { print $2 }' /proc/net/snmp6
}

# rx = replied + rewritten + passed + dropped + handled, for every port that --stats printed; and
# the ports moved packets in the way that is asked for (see run).
assert_counts_add_up() {
  awk '
    /rx_packets/ { rx = $3; name = $1 }
    /= replied/ { n++; sum = $3 + $6 + $9 + $12 + $15; if (sum != rx) { print name, rx, "!=", sum; bad = 1 } }
    END { exit bad || !n }' "$1" || return 1
  case ${MOONTAP_WAY:-} in
  epoll | uring) ! grep -Ew '  io (epoll|uring)' "$1" | grep -vw "  io $MOONTAP_WAY" ;;
  ring | mmsg | xdp) ! grep -Ew '  io (ring|mmsg|xdp)' "$1" | grep -vw "  io $MOONTAP_WAY" ;;
  esac
}

# transfer FROM TO ADDR [PORT]: 2 MB arrive over TCP as they were sent, from one namespace to another,
# each wait in at most $transfer_s seconds (20). The server's port is 7777.
transfer() {
  local data=$BATS_TEST_TMPDIR/data sum=$BATS_TEST_TMPDIR/sum bound=${transfer_s:-20} server
  cat >"$BATS_TEST_TMPDIR/serve.py" <<'PY'
import hashlib, socket, sys
s = socket.create_server((sys.argv[1], 7777), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(int(sys.argv[2]))
print("listening", flush=True)
c, _ = s.accept()
c.settimeout(int(sys.argv[2]))
h = hashlib.sha256()
while True:
    b = c.recv(65536)
    if not b:
        break
    h.update(b)
print(h.hexdigest())
PY
  head -c 2000000 /dev/urandom >"$data"
  ip netns exec "$2" python3 "$BATS_TEST_TMPDIR/serve.py" "$3" "$bound" >"$sum" 3>&- &
  server=$!
  wait_for grep -q listening "$sum"
  # shellcheck disable=SC2016 # the inner shell's
  timeout "$bound" ip netns exec "$1" bash -c 'cat "$1" >"/dev/tcp/$2/$3"' - "$data" "$3" "${4:-7777}"
  wait "$server"
  [ "$(tail -n 1 "$sum")" = "$(sha256sum <"$data" | cut -d' ' -f1)" ]
}

# Lua that keeps the worker from its local `port` until there is a file $sent, and says "drained" when
# the port has read what there was.
busy_until_sent() {
  cat <<'LUA'
mt.after(0.05, function()
  print "busy"
  while not io.open(os.getenv "sent") do end
end)
local last
mt.every(0.1, function()
  local now = port.counters.rx_packets
  if now == last then print "drained" end
  last = now
end)
LUA
}


# all_read_or_lost COUNT FILE: so many, and less than twenty of the kernel, are counted as read or as
# lost by the ports of --stats, and some as lost.
all_read_or_lost() {
  awk -v count="$1" '/rx_packets/ {
    for (i = 1; i < NF; i++) if ($i == "rx_packets" || $i == "rx_dropped") sum += $(i + 1)
    lost = / rx_dropped /
  } END { exit !(lost && sum >= count && sum < count + 20) }' "$2"
}

# only_one_worker WHY: what the test is about is one worker's.
only_one_worker() { [ "${MOONTAP_WAY:-}" != workers ] || skip "$1"; }

# An installation of the same shape in $prefix, for users who cannot look into the build tree, and
# a private /dev/net without the node: node makes it.
private_setup() {
  prefix=$(mktemp -d)
  mkdir -p "$prefix/bin" "$prefix/share/moontap"
  cp "$MOONTAP"* "$prefix/bin/"
  cp -RL "$(dirname "$MOONTAP")/../share/moontap/scripts" "$prefix/share/moontap/"
  chmod -R a+rX "$prefix"
  mount -t tmpfs -o mode=755 none /dev/net
}

private_teardown() {
  umount /dev/net
  rm -rf "$prefix"
}

# node MODE: the device node, in the private /dev/net.
node() {
  mknod /dev/net/tun c 10 200
  chmod "$1" /dev/net/tun
}

nobody() { run timeout -s KILL 60 setpriv --reuid 65534 --regid 65534 --clear-groups "$prefix/bin/moontap" "$@"; }

# What of this network could be changed.
network() {
  ip -o link show
  ip -o addr show
  ip route show table all
  ip -6 route show table all
  ip rule show
  ls -A /run/netns
  sysctl -a 2>/dev/null | grep '^net\.' | grep -v 'nf_log\|random\|netdev_rss_key'
}

common_setup() {
  errors_before=$(checksum_errors)
}

# Nothing is left: no process, no device, no new checksum error.
common_teardown() {
  if [ -n "${moontap_pid:-}" ]; then
    kill -KILL "$moontap_pid" 2>/dev/null || true
    wait "$moontap_pid" 2>/dev/null || true
  fi
  [ "$(checksum_errors)" = "$errors_before" ]
  links=$(ip -o link show | grep -v ': lo:' || true)
  [ -z "$links" ] || { echo "left behind: $links"; return 1; }
}
