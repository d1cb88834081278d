// SPDX-License-Identifier: Apache-2.0
// plain_any.c - room nn: steps by whatever the processor has; CFLAGS_plain_any in the Makefile.
#define PLAIN_RUN qi_plain_any
#include "nn/plain_text.inc"
