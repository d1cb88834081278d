// SPDX-License-Identifier: Apache-2.0
// plain_avx2.c - room nn: steps by AVX2; CFLAGS_plain_avx2 in the Makefile.
#ifdef __x86_64__
#define PLAIN_RUN qi_plain_avx2
#include "nn/plain_text.inc"
#endif
