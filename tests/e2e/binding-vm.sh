#!/bin/bash
# Driver binding for real: a guest with an emulated IOMMU (QEMU's intel-iommu) and an NVMe
# disk, which goes from its driver to vfio-pci and back, by sysfs, in a real kernel.
. tests/support/e2e.sh
[ "$(uname -m)" = x86_64 ] || skip "the emulated IOMMU of this test is an x86 one"
need qemu-system-x86_64 qemu-img ssh ssh-keygen ssh-keyscan python3 mmdebstrap xorrisofs
guest=$(tests/guest/build) || skip "the guest cannot be built here"
probe=$BUILD/tare-probe

ssh-keygen -q -t ed25519 -N '' -f "$scratch/host"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/user"
mkdir "$scratch/seed"
python3 - "$scratch" <<'PY'
import json, sys
d = sys.argv[1]
text = lambda name: open(f"{d}/{name}").read()
json.dump({"local-hostname": "binding"}, open(f"{d}/seed/meta-data", "w"))
open(f"{d}/seed/user-data", "w").write("#cloud-config\n" + json.dumps({
    "ssh_keys": {"ed25519_private": text("host"), "ed25519_public": text("host.pub")},
    "ssh_authorized_keys": [text("user.pub").strip()]}))
PY
xorrisofs -quiet -o "$scratch/seed.iso" -V cidata -J -r "$scratch/seed" 2>/dev/null
qemu-img create -q -f qcow2 -b "$guest/disk.img" -F raw "$scratch/disk.qcow2"
truncate -s 16M "$scratch/nvme.img"
timeout 1200 qemu-system-x86_64 -machine q35 -accel tcg -cpu max -smp 2 -m 768 -nodefaults \
	-display none -serial file:"$scratch/console" -device intel-iommu,intremap=off \
	-kernel "$guest/vmlinuz" -initrd "$guest/initrd" \
	-append "root=LABEL=root rw console=ttyS0 quiet intel_iommu=on no_timer_check" \
	-drive if=virtio,format=qcow2,file="$scratch/disk.qcow2" \
	-drive if=virtio,format=raw,readonly=on,file="$scratch/seed.iso" \
	-drive if=none,id=disk,format=raw,file="$scratch/nvme.img" \
	-device nvme,drive=disk,serial=tare,addr=10 \
	-netdev user,id=net,hostfwd=tcp:127.0.0.1:0-:22 -device virtio-net-pci,netdev=net \
	-monitor unix:"$scratch/monitor",server=on,wait=off 2>"$scratch/qemu" &
pids="$pids $!"
until_true 60 test -S "$scratch/monitor" || { cat "$scratch/qemu"; fail "QEMU does not start"; }
# The port that it got, by its monitor: one that is chosen here could be another's by then.
port=$(timeout 60 python3 - "$scratch/monitor" <<'PY'
import re, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"info usernet\n")
text = b""
while not (m := re.search(rb"HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", text)):
    text += s.recv(4096) or sys.exit(f"no port: {text}")
print(m[1].decode())
PY
) || { cat "$scratch/qemu"; fail "QEMU forwards no port"; }
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known"
# One connection for all commands: under emulation each login takes seconds.
cat >"$scratch/ssh" <<-CONFIG
	Host guest
	HostName 127.0.0.1
	Port $port
	User root
	IdentityFile $scratch/user
	IdentitiesOnly yes
	UserKnownHostsFile $scratch/known
	StrictHostKeyChecking yes
	BatchMode yes
	LogLevel ERROR
	ConnectTimeout 60
	ControlMaster auto
	ControlPath $scratch/c
	ControlPersist 600
CONFIG
in_guest() { timeout 300 ssh -n -F "$scratch/ssh" guest "$@"; }
end_of_test() { ssh -F "$scratch/ssh" -O exit guest 2>/dev/null || true; cleanup; }
trap end_of_test EXIT
if ! until_true 600 in_guest true; then
	cat "$scratch/qemu"; tail -n 20 "$scratch/console"; fail "the guest does not answer"
fi

# The program with the libraries that it needs beside it, as a bundle has them.
mkdir -p "$scratch/bundle/lib"
cp "$probe" "$scratch/bundle/"
ldd "$probe" | awk '$3 ~ /^\// {print $3}' | grep -vE '/(libc|libm|ld-linux[^/]*)\.so' |
	xargs -I{} cp -L {} "$scratch/bundle/lib/"
tar -C "$scratch/bundle" -cf "$scratch/bundle.tar" .
timeout 300 ssh -F "$scratch/ssh" guest 'mkdir /root/t && tar -C /root/t -xf -' <"$scratch/bundle.tar"

in_guest 'modprobe nvme; echo "kernel $(uname -r), IOMMU $(ls /sys/class/iommu 2>/dev/null)"' || :
device=$(in_guest 'for d in /sys/bus/pci/devices/*; do
	case $(cat $d/class) in 0x0108*) basename $d ;; esac; done')
[ -n "$device" ] || fail "no NVMe device in the guest"
in_guest "test -e /sys/bus/pci/devices/$device/iommu_group" ||
	skip "this kernel has no driver for the emulated IOMMU"
driver() { in_guest "basename \$(readlink /sys/bus/pci/devices/$device/driver 2>/dev/null) 2>/dev/null" || :; }
until_true 60 in_guest "test -b /dev/nvme0n1" || fail "the disk does not appear"
[ "$(driver)" = nvme ] || fail "the device starts with '$(driver)'"

echo "- a disk is not taken for a GPU"
check 5 in_guest "/root/t/tare-probe --bind vfio --device $device"
printed 'neither a GPU nor an accelerator'
[ "$(driver)" = nvme ] || fail "a refused binding changed the driver"

echo "- to vfio-pci"
check 0 in_guest "/root/t/tare-probe --bind vfio --any-device --device $device"
printed '"changed": true'
printed '"driver": "vfio-pci"'
[ "$(driver)" = vfio-pci ] || fail "the driver is '$(driver)', not vfio-pci"
in_guest "test -e /dev/vfio/\$(basename \$(readlink /sys/bus/pci/devices/$device/iommu_group))" ||
	fail "no /dev/vfio node"
in_guest "! test -b /dev/nvme0n1" || fail "the disk is still there"
check 0 in_guest "/root/t/tare-probe --bind vfio --any-device --device $device"
printed '"changed": false'

echo "- a process that has it open"
check 5 in_guest "exec 9<>/dev/vfio/\$(basename \$(readlink /sys/bus/pci/devices/$device/iommu_group)); /root/t/tare-probe --bind nvme --any-device --device $device"
printed 'processes have it open'
[ "$(driver)" = vfio-pci ] || fail "a refused binding changed the driver"

echo "- a driver that does not want it: undone"
check 5 in_guest "/root/t/tare-probe --bind virtio-pci --any-device --device $device"
printed '"state": "undone"'
[ "$(driver)" = vfio-pci ] || fail "after the undo the driver is '$(driver)'"

echo "- and back"
check 0 in_guest "/root/t/tare-probe --bind nvme --any-device --device $device"
[ "$(driver)" = nvme ] || fail "the driver is '$(driver)', not nvme"
until_true 60 in_guest "test -b /dev/nvme0n1" || fail "the disk does not come back"
[ "$(in_guest "cat /sys/bus/pci/devices/$device/driver_override")" = "(null)" ] ||
	fail "driver_override is still set"

echo "- as a run puts back: vfio without an override, no driver at all, the first one"
check 0 in_guest "/root/t/tare-probe --bind vfio-pci --override none --any-device --device $device"
[ "$(driver)" = vfio-pci ] || fail "the driver is '$(driver)', not vfio-pci"
[ "$(in_guest "cat /sys/bus/pci/devices/$device/driver_override")" = "(null)" ] ||
	fail "driver_override is set, and was to be none"
check 0 in_guest "/root/t/tare-probe --bind none --any-device --device $device"
[ -z "$(driver)" ] || fail "the driver is '$(driver)', not none"
check 0 in_guest "/root/t/tare-probe --binding --any-device --device $device"
printed '"driver": null'
printed '"override": null'
check 0 in_guest "/root/t/tare-probe --bind nvme --any-device --device $device"
[ "$(driver)" = nvme ] || fail "the driver is '$(driver)', not nvme"

echo "- what the guest tells of itself"
check 0 in_guest "/root/t/tare-probe --json"
cp "$scratch/out" "$scratch/machine.json"
[ "$(json "$scratch/machine.json" 'd["hypervisor"]["kind"]')" = qemu ] || fail "not seen as emulated"
[ "$(json "$scratch/machine.json" 'd["iommu"]["kind"]')" = intel ] || fail "the IOMMU is not seen"
check 4 in_guest "/root/t/tare-probe --check"
printed 'emulation without hardware'
