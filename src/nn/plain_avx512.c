// SPDX-License-Identifier: Apache-2.0
// plain_avx512.c - room nn: steps by AVX-512 F, BW, DQ, VL; CFLAGS_plain_avx512 in the Makefile.
#ifdef __x86_64__
#define PLAIN_RUN qi_plain_avx512
#include "nn/plain_text.inc"
#endif
