#!/bin/bash
# The templates of configs/opennebula. What Grace needs is compared with OpenNebula's
# documentation: eight empty NUMA nodes and one range of ACPI nodes per GPU.
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
