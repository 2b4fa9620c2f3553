#!/bin/bash
# The templates of configs/opennebula. What Grace needs is counted on a made-up host, and away
# from one compared with OpenNebula's documentation: eight empty NUMA nodes and one range of
# ACPI nodes per GPU.
. tests/support/e2e.sh
make=configs/opennebula/grace-template
for gpus in 1 2 3 4; do
	"$make" $gpus >"$scratch/t"
	[ "$(grep -c 'MEMORY="0", TOTAL_CPUS="0"' "$scratch/t")" = $((8 * gpus)) ] || fail "$gpus GPUs: empty nodes"
	[ "$(grep -c '^PCI=' "$scratch/t")" = $gpus ] || fail "$gpus GPUs: PCI sections"
	grep -q "DISTANCE=\"2-$((1 + 8 * gpus)):254\"" "$scratch/t" || fail "$gpus GPUs: distances"
done
for range in 2-9 10-17 18-25 26-33; do
	grep -q "ACPI_NODES=\"$range\"" "$scratch/t" || fail "no ACPI nodes $range"
done
check 2 "$make" 5
check 2 env VCPU=7 "$make" 1
# A host with four GPUs and two nodes for each, 80 from the own CPU and 120 from the other.
host=$scratch/host nodes=$scratch/host/sys/devices/system/node
for i in 8 9 24 25; do
	d=$host/sys/bus/pci/devices/$(printf '%04x' $i):01:00.0
	mkdir -p "$d"
	echo 0x10de >"$d/vendor"
	echo 0x2941 >"$d/device"
	echo 0x0000660000000000 0x0000667fffffffff 0x000000000014220c >"$d/resource"
done
for n in 0 1 2 3 4 5 10 11 12 13; do
	mkdir -p "$nodes/node$n"
	if [ $n -lt 2 ]; then
		echo "$((72 * n))-$((72 * n + 71))" >"$nodes/node$n/cpulist"
		echo "Node $n MemTotal:  490000000 kB" >"$nodes/node$n/meminfo"
	else
		echo >"$nodes/node$n/cpulist"
		echo "Node $n MemTotal:          0 kB" >"$nodes/node$n/meminfo"
	fi
done
echo 10 40 80 80 80 80 120 120 120 120 >"$nodes/node0/distance"
echo 40 10 120 120 120 120 80 80 80 80 >"$nodes/node1/distance"
ROOT=$host "$make" 2 >"$scratch/counted" 2>"$scratch/said"
[ "$(grep -c 'MEMORY="0", TOTAL_CPUS="0"' "$scratch/counted")" = 4 ] || fail "not two nodes for each of two GPUs"
grep -q 'ACPI_NODES="4-5"' "$scratch/counted" || fail "the second GPU's nodes are not 4-5"
grep -q 'DISTANCE="2-5:80"' "$scratch/counted" || fail "not the host's distance to the own CPU"
grep -q 'DISTANCE="2-5:120"' "$scratch/counted" || fail "not the host's distance to the other CPU"
grep -q 'no CMDQ-V' "$scratch/said" || fail "nothing is said of a host without CMDQ-V"
ROOT=$host "$make" 3 2>/dev/null | grep -q 'DISTANCE="2-5:80,6-7:120"' || fail "not two ranges for both sockets"
grep -q 'pasid=on' "$scratch/counted" || fail "NVIDIA's libvirt says pasid=on"
ROOT=$host LIBVIRT=12.2.0 CMDQV=off "$make" 1 >"$scratch/upstream" 2>"$scratch/said"
grep -q 'ssidSize=20 oas=48 cmdqv=off' "$scratch/upstream" || fail "libvirt 12.2 says ssidSize=20"
[ ! -s "$scratch/said" ] || fail "something is said: $(<"$scratch/said")"
# BARs larger than half of what is documented need a larger hole: 4 x 2 TiB, twice over.
for d in "$host"/sys/bus/pci/devices/*; do
	echo 0x0000000000000000 0x000001ffffffffff 0x000000000014220c >"$d/resource"
done
ROOT=$host "$make" 4 2>/dev/null | grep -q 'PCIHOLE64="17179869184"' || fail "the hole is too small"
# Memory of a GPU that the host's driver has online is no empty node: it cannot be counted.
echo "Node 5 MemTotal:  190000000 kB" >"$nodes/node5/meminfo"
check 2 env ROOT="$host" "$make" 1
# What the templates tell tare about the guest's host key is a script that a shell reads.
for f in configs/opennebula/x86-gpu.tmpl configs/opennebula/x86-mig-slice.tmpl "$scratch/t"; do
	sed -n 's/.*START_SCRIPT_BASE64="\([^"]*\)".*/\1/p' "$f" | base64 -d >"$scratch/script"
	grep -q 'TARE_SSH_HOST_KEY' "$scratch/script" || fail "$f: no host key is told"
	sh -n "$scratch/script" || fail "$f: its script is no script"
done
# Where a recorded request of the documented template is at hand: the same, line by line.
recorded=${TARE_RECORDINGS:-$(<tests/support/recordings.path)}/vm.allocate.grace_full.request.xml
if [ -e "$recorded" ]; then
	env VCPU=4 MEMORY=2048 HUGEPAGE_SIZE=2 "$make" 2 | grep -vE '^(DISK|NIC|SCHED_|CONTEXT|  START)' >"$scratch/ours"
	sed 's/.*<string>NAME=.*/NAME/' "$recorded" | grep -vE '^(NAME|<|NIC|SCHED_|CONTEXT)' >"$scratch/theirs"
	diff "$scratch/theirs" "$scratch/ours" || fail "not the documented template"
fi
