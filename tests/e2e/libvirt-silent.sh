#!/bin/bash
# A libvirt daemon that goes silent is noticed: while the connection is opened, and behind
# any of its answers after that. Between tare and the real daemon stands a proxy that stops
# carrying answers at the n-th.
. tests/support/e2e.sh
[ "$(id -u)" = 0 ] || skip "needs root to start libvirt"
need python3
[ -x /usr/sbin/libvirtd ] || skip "no libvirtd here"
lease=$PWD/$BUILD/tests/support/lease
check 0 "$lease" libvirt '{}' list # starts the daemon where none runs
[ -S /run/libvirt/libvirt-sock ] || skip "the daemon listens elsewhere"
cat >"$scratch/proxy.py" <<'PY'
import socket, sys, threading
answers = int(sys.argv[2])
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(8)
print("up", flush=True)
def carry(a, b, left):
    while data := a.recv(1 << 16):
        if left is not None:
            left -= 1
            if left < 0:
                print("silent", flush=True)
                threading.Event().wait()
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    client = server.accept()[0]
    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect("/run/libvirt/libvirt-sock")
    for args in ((client, daemon, None), (daemon, client, answers)):
        threading.Thread(target=carry, args=args, daemon=True).start()
PY
# silent_after ANSWERS: what became of a list.
silent_after() {
	local dir=$scratch/after-$1 status=0
	mkdir "$dir"
	python3 "$scratch/proxy.py" "$dir/sock" "$1" >"$dir/proxy" 2>&1 &
	trap "kill $! 2>/dev/null" EXIT # of this subshell: its \$pids is not the test's
	until_true 60 grep -q up "$dir/proxy" || fail "the proxy did not start"
	timeout -k 1 150 "$lease" libvirt "{\"uri\": \"qemu:///system?socket=$dir/sock\", \"start_daemon\": false}" \
		list none >"$dir/out" 2>"$dir/err" || status=$?
	echo "$status" >"$dir/status"
}
for n in 0 1 2 3 4 5 6 7 1000; do silent_after $n & all="${all:-} $!"; done
for p in $all; do wait "$p" || fail "see above"; done
for dir in "$scratch"/after-*; do
	echo "- ${dir##*/}: $(cat "$dir/status") $(sed 's|/[^ ]*/sock|SOCKET|' "$dir/err")"
	# Silence behind the last answer that is needed meets nobody but the good-bye.
	case $(cat "$dir/status") in 0 | 5) ;; *) fail "${dir##*/}: it waits for ever, or worse" ;; esac
done
[ "$(cat "$scratch/after-1000/status")" = 0 ] || fail "the proxy alone is in the way"
grep -q 'has not answered for' "$scratch/after-0/err" || fail "opening is not bounded"
grep -q 'keepalive' "$scratch"/after-*/err || fail "no call on an open connection was bounded"
