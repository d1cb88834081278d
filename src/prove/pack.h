// SPDX-License-Identifier: Apache-2.0
// pack.h - one row as bytes: what store, bundle and workers compare; inside room prove only.
//   u64 trial, u8 flags (1 passed, 2 places given), f64 total, f64 time, u8 n, cause[n],
//   u8 n, reason[n], trace[32], param f64[], measure f64[], places f64[] (flag 2), check[8]
// Numbers little-endian; every NaN is one NaN; check: first bytes of the BLAKE2b of those before.
#ifndef QI_PACK_H
#define QI_PACK_H

#include "qiao/prove.h"

// Most bytes of a row of this shape.
size_t qi_pack_max(const qiao_table *shape);
// Writes the row to out [qi_pack_max]; bytes returned.
//   u  [nparam] chosen places, NULL: drawn
size_t qi_pack(const qiao_table *shape, const qiao_row *row, const double *u, uint8_t *out);
// Reads the row at p; its bytes returned, 0: its lengths make no sense. why NULL: whole, else what
// is wrong: the fields are there all the same, unless 0 was returned.
//   row  param [nparam] and measure [nmeasure] are the caller's
//   u    [nparam] out; given: whether there were places
size_t qi_unpack(const qiao_table *shape, const uint8_t *p, size_t n, qiao_row *row, double *u,
                 bool *given, const char **why);
// The fields in which a and b differ, in words with both values; "" if in none.
void qi_row_differ(const qiao_table *shape, const qiao_row *a, const qiao_row *b, char *text,
                   size_t cap);

// Rows with the numbers behind them, for loops that read; owned, free() the rows.
qiao_row *qi_rows_new(const qiao_table *shape, int n);

#endif
