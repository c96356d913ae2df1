# SPDX-License-Identifier: Apache-2.0
# The front door. `make help` lists the words.

BUILD := build
.DEFAULT_GOAL := all

.PHONY: all deps demo test test-programs bench fuzz lint install clean help

all: deps                ## build everything
	@ninja -C $(BUILD)
