#!/bin/bash
# A name server that takes every question and answers none, in a network namespace of its
# own. Ctrl-C ends whatever waits for it, and so do a machine's time for SSH, a front-end's
# for a call and a model server's to be connected.
. tests/support/e2e.sh
need python3 unshare ip
cat >"$scratch/plan.json" <<'JSON'
{ "name": "deaf", "baseline": "far",
  "provisioners": { "lab": { "kind": "list", "machines": [ { "address": "listed.example.org" } ], "lock_dir": "LOCKS" } },
  "arms": { "far": { "target": "ssh", "host": "far.example.org" },
            "vm": { "target": "vm", "provisioner": "lab", "ready_timeout": "2s" } },
  "workloads": [ { "gemm": { "n": 32 } } ] }
JSON
sed -i "s|LOCKS|$scratch/locks|" "$scratch/plan.json"
# One question takes the resolver 150 s (five attempts are the most).
printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n' >"$scratch/resolv.conf"
echo 'hosts: dns' >"$scratch/nsswitch.conf"
cat >"$scratch/deaf.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("listens", flush=True)
while True:
    s.recv(4096)
    print("asked", flush=True)
PY
cat >"$scratch/inside.sh" <<'SH'
set -eu
ip link set lo up
mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$1/nsswitch.conf" "$(readlink -f /etc/nsswitch.conf)"
python3 "$1/deaf.py" >"$1/server" &
trap 'kill $!' EXIT
until grep -q listens "$1/server"; do kill -0 $!; done
echo ready >"$1/inside"
shift
"$@"
SH
inside() { unshare --map-root-user --net --mount bash "$scratch/inside.sh" "$scratch" "$@"; }
inside true 2>"$scratch/err" || [ -e "$scratch/inside" ] || skip "no namespaces here: $(tail -n 1 "$scratch/err")"

printf 'oneadmin:secret\n' >"$scratch/auth"
chmod 600 "$scratch/auth"
cat >"$scratch/cloud.json" <<JSON
{ "name": "deaf-cloud", "baseline": "here",
  "provisioners": { "cloud": { "kind": "opennebula", "endpoint": "http://one.example.org:2633/RPC2", "auth_file": "$scratch/auth",
                               "call_timeout": "CALL", "pool_timeout": "CALL", "read_retries": 0 } },
  "arms": { "vm": { "target": "vm", "provisioner": "cloud", "template": "x" }, "here": { "target": "local" } },
  "workloads": [ { "gemm": { "n": 32 } } ] }
JSON
sed 's/CALL/1s/g' "$scratch/cloud.json" >"$scratch/cloud-1s.json"
sed 's/CALL/250s/g' "$scratch/cloud.json" >"$scratch/cloud-250s.json"
load=("$PWD/$BUILD/tare-load" --target http://load.example.org:8000 --calibrate 0 --seconds 1 --concurrency 1 --prompt-tokens 8 --output-tokens 4)

# stopped COMMAND...: asks the name server, and ends with status 130 on Ctrl-C.
stopped() {
	local run status=0
	: >"$scratch/server"
	inside timeout -k 1 100 sh -c 'echo $$ >"$0"; exec "$@"' "$scratch/pid" "$@" >"$scratch/out" 2>"$scratch/err" &
	pids="$pids $!" run=$!
	until_true 60 grep -q asked "$scratch/server" || { cat "$scratch/err"; fail "nobody asked: $*"; }
	kill -INT "$(cat "$scratch/pid")"
	wait $run || status=$?
	[ $status = 130 ] || { cat "$scratch/err"; fail "exit status $status, not 130: $*"; }
}
echo "- Ctrl-C"
stopped "$tare" run -q --arm far -o "$scratch/far" "$scratch/plan.json"
stopped "$tare" run -q --arm vm -o "$scratch/cloud" "$scratch/cloud-250s.json"
stopped "${load[@]}" --connect-timeout 250s

echo "- its own time"
check 5 inside timeout -k 1 100 "$tare" run -q --arm vm -o "$scratch/late" "$scratch/plan.json"
said "no name server answers in time"
check 5 inside timeout -k 1 100 "$tare" run -q --arm vm -o "$scratch/called" "$scratch/cloud-1s.json"
said "one.example.org"
check 5 inside timeout -k 1 100 "${load[@]}" --connect-timeout 1s
said "load.example.org"
