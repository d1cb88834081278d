// SPDX-License-Identifier: Apache-2.0
// why.h - the parts that explain a table of trials; inside room prove only.
#ifndef QI_PROVE_WHY_H
#define QI_PROVE_WHY_H

#include "qiao/prove_stats.h"

enum { QI_CHOICES_MAX = 16 };

typedef struct qi_axis { // one parameter that varies
    int param;
    bool choice;   // whole numbers lo .. hi, without an order
    double lo, hi; // declared
} qi_axis;
// The parameters of t that vary into axis [t->nparam]; returns how many.
int qi_axes(const qiao_table *t, qi_axis *axis);
// Where in its range a parameter of row i lies, 0..1.
double qi_place(const qiao_table *t, const qi_axis *x, int i);

// Twice the log-likelihood that two shares explain over one: k1 of n1 against the rest of k of n.
double qi_gain(double n1, double k1, double n, double k);

// Fill w's maps and pairs, its rules; memory from its arena.
qiao_err qi_why_maps(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                     qiao_why *w);
qiao_err qi_why_rules(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                      uint64_t seed, qiao_why *w);
bool qi_rule_holds(const qiao_table *t, const qiao_rule *r, int row);
// The rule's sentences from its numbers.
void qi_rule_say(const qiao_table *t, double level, qiao_rule *r, const char *cause);

#endif
