// SPDX-License-Identifier: Apache-2.0
// words.h - numbers and sentences for people. Library and program only.
#ifndef QI_PROVE_WORDS_H
#define QI_PROVE_WORDS_H

#include "qiao/prove_stats.h"

#include <stdio.h>

void qi_say_count(char *s, size_t cap, long long n); // "10,000"
void qi_say_p(char *s, size_t cap, double p);        // "= 0.031", "< 1e-6"
// A bound of a share, in percent without its sign: rounded down (way -1) or up (way 1), with digits
// enough that one short of 100 does not read as 100, nor one above 0 as 0.
void qi_say_bound(char *s, size_t cap, double share, int way);
// "94.20 % (93.70-94.61 %)" for columns: the same care for the ends.
void qi_say_column(char *s, size_t cap, const qiao_interval *i);
void qi_say_number(char *s, size_t cap, double x); // three figures: "0.47", "61"
// "94.2 % (93.7-94.6 %)", with as many digits as the interval's width calls for.
void qi_say_share(char *s, size_t cap, const qiao_interval *i);
// qiao_prove_sentence by the interval that the sweep stopped by (level 0 or NULL: none).
void qi_say_verdict(const qiao_table *t, const qiao_interval *sequence, double level, bool chinese,
                    char *text, size_t cap);
const char *qi_say_unit(const char *unit); // "m/s" of "mps"

#endif
