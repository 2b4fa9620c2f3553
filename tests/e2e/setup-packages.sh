#!/bin/bash
# scripts/setup on FAKE systems: a package system made of a few shell scripts, of which the
# test says what it has installed and what can be had. Nothing is installed.
. tests/support/e2e.sh
fake=$scratch/bin
mkdir "$fake"
for tool in bash sh awk grep sed tr wc id tail cut sort env flock ls cat dirname; do
	ln -s "$(command -v $tool)" "$fake/$tool"
done

# as_program NAME <<SCRIPT
as_program() { { echo '#!/bin/bash'; cat; } >"$fake/$1"; chmod 755 "$fake/$1"; }
as_program dpkg <<<'echo ${FAKE_ARCH:-amd64}'
as_program dpkg-query <<'E2'
for p in "${@:4}"; do grep -qx "$p" "$FAKE/installed" && echo "installed $p"; done; true
E2
as_program apt-cache <<'E2'
grep -qx "$2" "$FAKE/absent" && echo "  Candidate: (none)" || echo "  Candidate: 1.0"
E2
as_program apt-get <<'E2'
echo "$*" >>"$FAKE/asked"
case " $* " in *" install "*) [ ! -e "$FAKE/broken" ] ;; esac
E2
as_program sudo <<<'exec "$@"'
export FAKE=$scratch TMPDIR=$scratch

# system INSTALLED ABSENT: space-separated package names
system() {
	printf '%s\n' $1 >"$scratch/installed"
	printf '%s\n' $2 >"$scratch/absent"
	rm -f "$scratch/asked" "$scratch/broken"
}
setup() { PATH=$fake scripts/setup "$@"; }
asked_for() { grep -qE -- " install .* $1( |\$)" "$scratch/asked"; }

# Libraries' own packages are called otherwise from release to release (libcurl4t64 ...).
! scripts/setup --list build unit demo test cross fuzz bench | tr '|' '\n' |
	grep -E '^lib.*[0-9](t64)?$' || fail "name the -dev package instead"

# As Debian 12: everything can be had, and of alternatives the first.
system "" ""
check 0 setup --install build test cross
for p in gcc pkgconf libcurl4-openssl-dev clang-14 libclang-rt-14-dev chromium qemu-user-static; do
	asked_for "$p" || fail "$p was not asked for: $(cat "$scratch/asked")"
done
! asked_for pkg-config || fail "two of one choice"

# As Ubuntu 24.04: Chromium is a snap, so no package; newer systems: another clang.
system "" "chromium clang-14 libclang-rt-14-dev clang-format-14"
check 0 setup --install test
! asked_for chromium || fail "what cannot be had was asked for"
asked_for clang || fail "the second choice was not taken"
asked_for libclang-rt-dev || fail "the second choice was not taken"

# Another architecture gets its own emulator and no cross compiler.
FAKE_ARCH=arm64
export FAKE_ARCH
system "" ""
check 0 setup --install demo cross
asked_for qemu-system-arm || fail "no emulator of arm64"
! asked_for qemu-system-x86 || fail "x86's emulator on arm64"
! asked_for gcc-aarch64-linux-gnu || fail "a cross compiler to itself"
unset FAKE_ARCH

# What is there is not asked for again, whichever of the alternatives it is.
system "$(scripts/setup --list build | sed 's/.*|//')" ""
check 0 setup --install build
[ ! -e "$scratch/asked" ] || fail "asked for: $(cat "$scratch/asked")"
check 0 setup --check build

# Required and not to be had: named, with the line to run. Installing nothing: the same.
system "" "gcc"
touch "$scratch/broken"
check 1 setup --install build
said "apt-get install -y --no-install-recommends"
said "gcc"
system "" ""
check 1 setup --check unit
said "libcmocka-dev"
[ ! -e "$scratch/asked" ] || fail "--check asked for: $(cat "$scratch/asked")"
# Only what is optional is missing: nobody is troubled.
system "$(scripts/setup --list test | sed 's/|.*//' | grep -v chromium)" "chromium"
check 0 setup --check test
check 0 setup --install test
echo ok
