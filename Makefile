# tare: one Makefile, no recursion.
#
#   make            builds every program into build/
#   make demo       installs what is missing, builds, runs the quick-start comparison
#   make test       installs what is missing, builds, runs every test (sanitizers too)
#   make check      the unit tests alone, on what is installed
#   make bench      speed, as ratios in one run
#   make fuzz       coverage-guided fuzzers, FUZZ_SECONDS=600 each
#   make cross      builds for aarch64 and runs its unit tests under qemu-user
#   make mutation   MUTANTS=200 SEED=1 FILES='gemm ...': which one-line faults no unit test sees
#   make check-peers   reads our GuideLLM and vLLM files back with those tools, and runs GuideLLM beside us
#   make install    DESTDIR=, PREFIX=/usr/local
#   make clean      removes what make made
#   make help       this text
#
# Knobs: V=1 shows commands; CC=clang; SAN=1 builds with AddressSanitizer and
# UndefinedBehaviorSanitizer into build-san/; FUZZ=1 CC=clang builds for libFuzzer into
# build-fuzz-clang/; DEV=1 makes warnings errors;
# CUDA_HOME=/usr/local/cuda (empty: without the CUDA backend); CFLAGS= and LDFLAGS= are added
# to ours; CROSS=aarch64-linux-gnu SYSROOT=DIR; SETUP=0 leaves the system's packages alone.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
V ?= 0
SAN ?= 0
FUZZ ?= 0
DEV ?= 0
CROSS ?=
SYSROOT ?=
FUZZ_SECONDS ?= 600

ifeq ($(origin CC),default)
CC := $(if $(CROSS),$(CROSS)-,)gcc
endif
AR := $(if $(CROSS),$(CROSS)-,)ar
PKG_CONFIG ?= $(if $(CROSS),$(CROSS)-,)pkg-config
BUILD := build$(if $(CROSS),-$(CROSS),)$(if $(filter 1,$(SAN)),-san,)$(if $(filter 1,$(FUZZ)),-fuzz,)$(if $(findstring clang,$(CC)),-clang,)
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

# A file that changes when a value changes, and only then: $(call stamp,NAME,VALUE). It is
# written while this file is read, so that 'make -n' and 'make -q' tell the truth.
stamp = $(shell mkdir -p $(BUILD); printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(BUILD)/$(1) \
	|| printf '%s\n' '$(subst ','\'',$(2))' >$(BUILD)/$(1))

GOALS := $(or $(MAKECMDGOALS),all)
NEEDS_NO_CONFIG := clean help fuzz cross mutation
CUDA_HOME ?= $(firstword $(wildcard /usr/local/cuda) $(if $(wildcard /usr/include/cublas_v2.h),/usr))
ifneq ($(filter-out $(NEEDS_NO_CONFIG),$(GOALS)),)
$(call stamp,knobs,$(CC) $(PKG_CONFIG) $(CUDA_HOME) $(CROSS) $(SYSROOT))
include $(BUILD)/config.mk
endif

# What must be installed, and where libraries and CUDA are: 'demo', 'test' and 'setup'
# install what is missing, everything else names it and stops.
SETUP_MODE := $(if $(filter demo test setup bench,$(GOALS)),--install,--check)
SETUP_SETS := build $(if $(filter tests check,$(GOALS)),unit) $(if $(filter demo,$(GOALS)),demo) \
	$(if $(filter test setup,$(GOALS)),demo unit test fuzz cross bench) $(if $(filter bench,$(GOALS)),bench)
SETUP_CROSS := $(if $(CROSS),SETUP=0)

$(BUILD)/config.mk: scripts/setup scripts/configure scripts/packages $(BUILD)/knobs
	@$(SETUP_CROSS) scripts/setup $(SETUP_MODE) $(SETUP_SETS)
	@PKG_CONFIG='$(PKG_CONFIG)' CUDA_HOME='$(CUDA_HOME)' scripts/configure >$@.tmp
	@mv $@.tmp $@

comma := ,
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wwrite-strings -Wpointer-arith -fno-common
OPTIMISE := -O2 -g
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE $(if $(filter 1,$(SAN) $(FUZZ)),,-D_FORTIFY_SOURCE=2)
SANITIZERS := address$(comma)undefined$(if $(filter 1,$(FUZZ)),$(comma)fuzzer-no-link)
SANFLAGS := $(if $(filter 1,$(SAN) $(FUZZ)),-fsanitize=$(SANITIZERS) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
CFLAGS ?=
LDFLAGS ?=
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. $(OPTIMISE) $(WARN) $(HARDEN) $(SANFLAGS) -fPIC -pthread \
	$(SYSROOT:%=--sysroot=%) $(CONFIG_CFLAGS) $(CFLAGS)
# $$ORIGIN/lib is where a bundle keeps its libraries; as RPATH, not RUNPATH, it also serves
# what those libraries need in turn.
ALL_LDFLAGS := $(SANFLAGS) -pthread $(SYSROOT:%=--sysroot=%) -Wl,--as-needed -Wl,--disable-new-dtags \
	-Wl,-rpath,'$$ORIGIN/lib' -Wl,-z,origin -Wl,-z,relro -Wl,-z,now $(LDFLAGS)

# A room is a folder and what lies below it (ARCHITECTURE.md); 'x_main.c' holds the main() of
# tare-x and is left out of its archive.
ROOMS := core cuda gemm link inference probe reports harness
sources = $(sort $(filter-out %_main.c,$(shell find $(1) -name '*.c')))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
$(foreach r,$(ROOMS),$(eval OBJ_$(r) := $(call objects,$(call sources,$(r)))))

SUPPORT_OBJ := $(call objects,$(filter-out %_main.c %_preload.c,$(wildcard tests/support/*.c)))
FAKE_NVML_OBJ := $(call objects,$(wildcard tests/support/fakes/nvml_*.c))
FAKE_CUDA_OBJ := $(call objects,$(wildcard tests/support/fakes/cuda_*.c))

COMMIT := $(shell git describe --always --dirty --abbrev=7 2>/dev/null || echo unknown)
COMPILER := $(notdir $(CC)) $(shell { $(CC) -dumpfullversion || $(CC) -dumpversion; } 2>/dev/null) \
	$(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter-out clean help,$(GOALS)),)
$(call stamp,flags,$(COMPILER) $(ALL_CFLAGS) $(ALL_LDFLAGS))
$(call stamp,sources,$(foreach r,$(ROOMS),$(OBJ_$(r))) $(SUPPORT_OBJ) $(FAKE_NVML_OBJ) $(FAKE_CUDA_OBJ))
$(call stamp,commit,$(COMMIT))
endif

$(foreach r,$(ROOMS),$(eval $(BUILD)/$(r).a: $(OBJ_$(r))))

MAINS := $(sort $(filter-out harness/%,$(shell find $(ROOMS) -name '*_main.c')))
program_of = $(BUILD)/tare-$(patsubst %_main.c,%,$(notdir $(1)))
PROGRAMS := $(BUILD)/tare $(foreach m,$(MAINS),$(call program_of,$(m)))

# What was built for another architecture cannot print its own manual here.
all: $(PROGRAMS) $(if $(CROSS),,docs)

# Program, its main, archives in link order, libraries. A program that runs on the machine
# under test has its room, the rooms that this uses (ROOMS_x), core, and its libraries (LIBS_x).
ROOMS_gemm := cuda
ROOMS_link := cuda
LIBS_inference = $(INFERENCE_LIBS)
define program
$(1): $(BUILD)/obj/$(2:.c=.o) $(3)
	$$(call say,LD,$$@)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(4) $(CORE_LIBS)
endef
room_of = $(firstword $(subst /, ,$(1)))
$(eval $(call program,$(BUILD)/tare,harness/cmd/tare_main.c,$(BUILD)/harness.a $(BUILD)/reports.a $(BUILD)/core.a,$(HARNESS_LIBS)))
archives_of = $(patsubst %,$(BUILD)/%.a,$(1) $(ROOMS_$(1)) core)
$(foreach m,$(MAINS),$(eval $(call program,$(call program_of,$(m)),$(m),$(call archives_of,$(call room_of,$(m))),$(LIBS_$(call room_of,$(m))))))

# A file that went away must leave its archive too, hence the list of sources.
$(BUILD)/%.a: $(BUILD)/sources
	$(call say,AR,$@)rm -f $@; $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/obj/%.o: %.c $(BUILD)/config.mk $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(if $(filter 1,$(DEV)),-Werror) $(EXTRA_$<) -MMD -MP -c -o $@ $<

# 'make clean all' takes the stamps away after they were written.
$(addprefix $(BUILD)/,knobs flags sources commit):
	@mkdir -p $(@D); touch $@

# Commit and compiler are known to one file, which alone is compiled again for a new commit.
EXTRA_core/document/version.c = -DTARE_COMMIT='"$(COMMIT)"' \
	-DTARE_BUILD='"$(strip $(COMPILER)) $(OPTIMISE)$(if $(filter 1,$(SAN)), sanitized)"'
$(BUILD)/obj/core/document/version.o: $(BUILD)/commit

# Embedded by .incbin, which no compiler lists as a dependency.
$(BUILD)/obj/gemm/kernels.o: gemm/kernels.ptx
$(BUILD)/obj/link/kernels.o: link/kernels.ptx

# Unit tests: one program per module, tests/unit/test_x.c, linked with everything.
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
# 'x_preload.c' is a fault that a test loads into a program with LD_PRELOAD.
PRELOADS := $(patsubst tests/support/%_preload.c,$(BUILD)/tests/support/%.so,$(wildcard tests/support/*_preload.c))
TOOLS := $(patsubst tests/support/%_main.c,$(BUILD)/tests/support/%,$(wildcard tests/support/*_main.c))
TARE_WITH_FAKE := $(BUILD)/tests/support/tare
FAKES := $(patsubst tests/support/fakes/%.c,$(BUILD)/tests/fakes/%,$(wildcard tests/support/fakes/lib*.c))
EVERY_ARCHIVE := $(foreach r,harness reports gemm link cuda inference probe core,$(BUILD)/$(r).a)

$(BUILD)/support.a: $(SUPPORT_OBJ)
# With the programs, fakes and faults that tests start or load.
$(TESTS): | $(PROGRAMS) $(PRELOADS) $(FAKES) $(TOOLS)
$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/support.a $(EVERY_ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(HARNESS_LIBS) $(INFERENCE_LIBS) $(CORE_LIBS) $(TEST_LIBS)

$(BUILD)/tests/support/%.so: $(BUILD)/obj/tests/support/%_preload.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -shared $(ALL_LDFLAGS) -o $@ $^ -ldl

# 'x_main.c' is a program that only tests use.
# 'tare' here is the product's, but for a table of kinds that has the fake provisioner too.
$(TARE_WITH_FAKE): $(call objects,harness/cmd/tare_main.c tests/support/kinds/provisioner_kinds.c)
$(TOOLS): $(BUILD)/tests/support/%: $(BUILD)/obj/tests/support/%_main.o
$(TOOLS) $(TARE_WITH_FAKE): $(BUILD)/support.a $(EVERY_ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(HARNESS_LIBS) $(INFERENCE_LIBS) $(CORE_LIBS) $(TEST_LIBS)

# Fakes of NVIDIA's libraries under their own sonames, for LD_LIBRARY_PATH: 'libX.c' becomes
# libX, and 'nvml_*.c' and 'cuda_*.c' are parts of the fake NVML and CUDA driver.
$(BUILD)/tests/fakes/libnvidia-ml.so.1: $(FAKE_NVML_OBJ) $(BUILD)/sources
$(BUILD)/tests/fakes/libcuda.so.1: $(FAKE_CUDA_OBJ) $(BUILD)/sources
$(BUILD)/tests/fakes/%: $(BUILD)/obj/tests/support/fakes/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -shared $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -lm

# Fuzzers (tests/fuzz/run), with FUZZ=1 CC=clang: libFuzzer brings their main().
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/support.a $(EVERY_ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) \
		$(HARNESS_LIBS) $(INFERENCE_LIBS) $(CORE_LIBS)

fuzzers: $(FUZZERS)
tests: $(TESTS) $(PRELOADS) $(FAKES) $(TOOLS) $(TARE_WITH_FAKE)
check: all tests # the unit tests alone
	$(Q)TARE_BUILT=1 BUILD=$(BUILD) tests/run unit

# Manual pages and completion come out of the programs' own option tables.
docs: $(BUILD)/docs.stamp
$(BUILD)/docs.stamp: $(PROGRAMS) scripts/docs
	$(call say,DOCS,$(BUILD)/man $(BUILD)/completion)BUILD=$(BUILD) scripts/docs
	@touch $@

# Every core, unless the user said how many.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# config.mk may be older than the wish for a demo or tests: these look again, and that is
# quick when nothing is missing.
setup: $(BUILD)/config.mk
	@scripts/setup --install $(SETUP_SETS)

demo: $(BUILD)/config.mk
	@scripts/setup --install build demo
	$(Q)$(SUBMAKE) all
	$(Q)BUILD=$(BUILD) scripts/demo

test: setup
	$(Q)$(SUBMAKE) all tests
	$(Q)TARE_BUILT=1 CC='$(CC)' BUILD=$(BUILD) tests/run all

bench: all
	@scripts/setup --install bench
	$(Q)BUILD=$(BUILD) tests/bench/run

fuzz:
	@scripts/setup --install build fuzz
	$(Q)tests/fuzz/run $(FUZZ_SECONDS)

cross:
	@scripts/setup --install build cross
	$(Q)tests/cross/run

mutation:
	$(Q)tests/mutation/run --mutants $(or $(MUTANTS),200) --seed $(or $(SEED),1) $(or $(FILES),gemm)

check-peers: all
	@scripts/setup --install peers
	$(Q)BUILD=$(BUILD) tests/peers/run

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/tare
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/completion/* $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	cp -R configs $(DESTDIR)$(PREFIX)/share/tare

clean:
	rm -rf build build-*

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

.PHONY: all check clean cross mutation check-peers bench demo docs fuzz fuzzers help install setup test tests
.SECONDARY:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
