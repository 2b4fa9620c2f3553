#!/bin/bash
# lane: libvirt
# A real guest through libvirt, emulated in software: lent, logged in to, given back; and
# after a SIGKILL, a boot that fails, a deadline and Ctrl-C nothing of it is left.
. tests/support/e2e.sh
[ "$(id -u)" = 0 ] || skip "needs root to start libvirt"
need virsh ssh ssh-keyscan ssh-keygen python3 mmdebstrap xorrisofs qemu-img
[ -x /usr/sbin/libvirtd ] || skip "no libvirtd here"
guest=$(tests/guest/build) || skip "the guest cannot be built here"
lease=$PWD/$BUILD/tests/support/lease
work=$scratch/work
export LIBVIRT_DEFAULT_URI=qemu:///system
machine() { # KEY=JSON...
	python3 - "$guest" "$@" <<-'PY'
		import json, sys
		g = sys.argv[1]
		m = {"image": g + "/disk.img", "kernel": g + "/vmlinuz", "initrd": g + "/initrd",
		     "vcpus": 2, "memory": "768Mi", "virt": "qemu"}
		m.update((k, json.loads(v)) for k, v in (a.split("=", 1) for a in sys.argv[2:]))
		print(json.dumps(m))
	PY
}
ours() { virsh -q list --all --name | grep '^tare-e2e' || true; }
nothing_left() { # RUN
	[ -z "$(ours | grep "^tare-$1-")" ] || fail "$1: a machine is left: $(ours)"
	[ -z "$(ls -d "$work"/tare-"$1"-*/ 2>/dev/null)" ] || fail "$1: a folder is left: $(ls "$work")"
	! pgrep -f "guest=tare-$1-" >/dev/null || fail "$1: a QEMU is left"
}
run=e2e$$
end_of_test() { "$lease" libvirt '{}' sweep "$run" >/dev/null 2>&1 || true; cleanup; }
trap end_of_test EXIT

echo "- a lease, with every character in its paths that XML minds"
odd="$scratch/we & <you> \"ü\" it's"
mkdir "$odd"
ln -s "$guest/vmlinuz" "$odd/vmlinuz"
before=$(stat -c '%Y %s' "$guest/disk.img")
mkfifo "$scratch/hold"
"$lease" libvirt '{}' acquire "$(machine "kernel=$(python3 -c 'import json,sys; print(json.dumps(sys.argv[1]))' "$odd/vmlinuz")" \
	vcpus=1 pin_cpus=[0] numa_node=0)" \
	"$run" r001-vm "$work" 600 <"$scratch/hold" >"$scratch/lease.json" 2>"$scratch/err" &
holder=$!
exec 8>"$scratch/hold"
until_true 620 grep -q '"address"' "$scratch/lease.json" || { cat "$scratch/err"; fail "no lease"; }
port=$(json "$scratch/lease.json" 'd["port"]')
key=$(json "$scratch/lease.json" 'd["key_file"]')
[ "$(json "$scratch/lease.json" 'd["facts"]["type"]')" = qemu ] || fail "facts do not say qemu"
echo "  boot: $(json "$scratch/lease.json" 'd["boot_ns"] / 1e9') s"
timeout 300 ssh-keyscan -T 200 -t ed25519 -p "$port" 127.0.0.1 >"$scratch/known" 2>/dev/null
[ "$(ssh-keygen -lf "$scratch/known" | awk '{print $2}')" = "$(json "$scratch/lease.json" 'd["host_key_sha256"]')" ] ||
	fail "the guest's host key is not the one that was promised"
in_guest() {
	timeout 300 ssh -n -p "$port" -i "$key" -o UserKnownHostsFile="$scratch/known" -o IdentitiesOnly=yes \
		-o StrictHostKeyChecking=yes -o BatchMode=yes -o LogLevel=ERROR root@127.0.0.1 "$@"
}
in_guest uname -a | grep -q 'Linux tare-' || fail "uname -a in the guest"
in_guest systemd-detect-virt 2>/dev/null | grep -q qemu || fail "the guest does not see QEMU"
in_guest touch /written-by-the-guest
virsh dumpxml "tare-$run-r001-vm" | grep -q "urn:tare:run:$run" || fail "no run's id in the domain"
virsh -q vcpupin "tare-$run-r001-vm" | grep -qE '^ *0 +0$' || fail "the virtual CPU is not pinned"
virsh -q numatune "tare-$run-r001-vm" | grep -qE 'numa_nodeset *: 0$' || fail "the memory has no node"
[ "$("$lease" libvirt '{}' list "$run")" = "tare-$run-r001-vm" ] || fail "list"
[ -z "$("$lease" libvirt '{}' list another)" ] || fail "list shows another run's machine"
[ "$("$lease" libvirt '{}' sweep another)" = 0 ] || fail "sweep of another run"
[ -n "$(ours)" ] || fail "the sweep of another run took the machine"
exec 8>&-
wait $holder || { cat "$scratch/err"; fail "release: exit status $?"; }
nothing_left "$run"
[ "$before" = "$(stat -c '%Y %s' "$guest/disk.img")" ] || fail "the image was written to"

start() { # LABEL MACHINE SECONDS: in the background, until the domain runs
	rm -f "$scratch/err"
	"$lease" libvirt '{}' acquire "$2" "$run" "$1" "$work" "$3" </dev/null >"$scratch/out" 2>"$scratch/err" &
	holder=$!
	until_true 300 grep -q booting "$scratch/err" || { cat "$scratch/err"; fail "$1 did not start"; }
}
ended() { # STATUS
	local got=0; wait $holder || got=$?
	[ $got = "$1" ] || { cat "$scratch/err"; fail "exit status $got, not $1"; }
}

echo "- SIGKILL, then a sweep"
start r002-vm "$(machine)" 600
kill -KILL $holder; wait $holder 2>/dev/null || true
[ "$(ours)" = "tare-$run-r002-vm" ] || fail "the machine did not outlive its owner: $(ours)"
[ "$("$lease" libvirt '{}' sweep "$run")" = 1 ] || fail "sweep"
[ "$("$lease" libvirt '{}' sweep "$run")" = 0 ] || fail "a second sweep finds nothing"
nothing_left "$run"

echo "- Ctrl-C while it boots"
start r003-vm "$(machine)" 600
kill -INT $holder
ended 130
nothing_left "$run"

echo "- a deadline that passes"
truncate -s 16M "$scratch/empty.img" # nothing to boot: it runs and never answers
start r004-vm "{\"image\": \"$scratch/empty.img\", \"virt\": \"qemu\", \"memory\": \"64Mi\"}" 20
ended 5
said "no SSH answer from 127.0.0.1"
nothing_left "$run"

echo "- a guest that cannot find its disk"
start r005-vm "$(machine 'cmdline="root=/dev/none console=ttyS0 panic=1 rootdelay=1 no_timer_check"')" 600
ended 5
said "ended before it answered"
said "/dev/none"
[ -s "$work/tare-$run-r005-vm.console.log" ] || fail "the console's log was not kept"
nothing_left "$run"

echo "- requests that cannot be met"
check 5 "$lease" libvirt '{}' acquire "$(machine 'image="/nowhere/disk.img"')" "$run" r006-vm "$work" 60
said "/nowhere/disk.img"
check 5 "$lease" libvirt '{}' acquire "$(machine 'kernel="/nowhere/vmlinuz"')" "$run" r006-vm "$work" 60
said "/nowhere/vmlinuz"
check 5 "$lease" libvirt '{}' acquire "$(machine 'network="no-such-network"')" "$run" r006-vm "$work" 60
said "no-such-network"
check 2 "$lease" libvirt '{"uri": "qemu+ssh://else/system"}' list
nothing_left "$run"

if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
	echo "- a lease under KVM"
	check 0 "$lease" libvirt '{}' acquire "$(machine 'virt="kvm"')" "$run" r007-vm "$work" 120 </dev/null
	printed '"kvm"'
else
	echo "- KVM asked for where it cannot be had"
	check 5 "$lease" libvirt '{}' acquire "$(machine 'virt="kvm"')" "$run" r007-vm "$work" 60
	said "KVM is asked for"
fi
nothing_left "$run"
