# SPDX-License-Identifier: Apache-2.0
# The front door: `make help` lists the words. Behind it is Meson; missing packages are installed
# with apt-get (Debian 12), which is said before it is done.

BUILD := build
MESON_FLAGS :=
JOBS := $(shell nproc)

# package:what shows that it is there (a command, or a file below /usr when it starts with a slash)
BUILD_PACKAGES := \
	g++:g++ pkg-config:pkg-config meson:meson ninja-build:ninja \
	libdw-dev:/include/elfutils/libdwfl.h libelf-dev:/include/libelf.h \
	libjansson-dev:/include/jansson.h libcmocka-dev:/include/cmocka.h \
	python3:/bin/python3
DEMO_PACKAGES := memcached:memcached
TEST_PACKAGES := $(DEMO_PACKAGES) \
	python3-jsonschema:/lib/python3/dist-packages/jsonschema/__init__.py \
	redis-server:redis-server redis-tools:redis-benchmark pigz:pigz pbzip2:pbzip2 \
	xz-utils:xz zstd:zstd valgrind:valgrind man-db:man procps:pgrep dwz:dwz \
	libc6-dbg:/lib/debug/.build-id gdb:gdb strace:strace
BENCH_PACKAGES := $(TEST_PACKAGES) clang:clang
FUZZ_PACKAGES := clang:clang libclang-rt-14-dev:/lib/llvm-14/lib/clang
LINT_PACKAGES := clang-format:clang-format cppcheck:cppcheck

.DEFAULT_GOAL := all
.PHONY: all setup demo test test-programs bench fuzz lint install clean help

all: setup                  ## build everything
	@ninja -C $(BUILD)

setup:
	@tools/need.sh $(BUILD_PACKAGES)
	@test -f $(BUILD)/build.ninja || meson setup $(MESON_FLAGS) $(BUILD)

demo: all                   ## find a deadlock that did not happen, then validate a real server
	@tools/need.sh $(DEMO_PACKAGES)
	@tools/demo.sh $(BUILD)

test: all                   ## all tests: unit, behaviour, real programs, fuzz corpora
	@tools/need.sh $(TEST_PACKAGES)
	@tools/test.sh $(BUILD)

test-programs: all          ## only the real programs from Debian
	@tools/need.sh $(TEST_PACKAGES)
	@tools/test.sh $(BUILD) --suite programs

bench: all                  ## native, Lockproof, ThreadSanitizer, Helgrind side by side
	@tools/need.sh $(BENCH_PACKAGES)
	@ninja -C $(BUILD) bench

fuzz:                       ## fuzz the readers of outside bytes for FUZZ_SECONDS (default 60) each
	@tools/need.sh $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
	@tools/fuzz.sh $(BUILD)-fuzz

lint: setup                 ## layout, static analysis, include table
	@tools/need.sh $(LINT_PACKAGES)
	@tools/lint.sh $(BUILD)

install: all                ## install below PREFIX as meson was set up (default /usr/local)
	@meson install -C $(BUILD)

clean:                      ## remove what was built
	rm -rf $(BUILD) $(BUILD)-fuzz

help:                       ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
