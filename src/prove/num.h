// SPDX-License-Identifier: Apache-2.0
// num.h - the functions that statistics rest on; inside room prove only.
// Own logarithm and exponential (base/lanes_math.h), plain arithmetic and square roots: so the
// same bits on every machine.
#ifndef QI_PROVE_NUM_H
#define QI_PROVE_NUM_H

#include "qiao/base.h"

double qi_ln(double x);
double qi_exp(double x);

// ln of the binomial mass with real arguments: Gamma(n+1)/(Gamma(a+1) Gamma(b+1)) p^a q^b, n = a+b.
// Exact to the last digits for large n. Source: C. Loader, Fast and accurate computation of
// binomial probabilities (2000).
double qi_ln_binomial(double a, double b, double p, double q);
// Regularised incomplete beta I_x(a, b); a, b > 0. Source: DLMF 8.17.22, modified Lentz.
double qi_beta(double a, double b, double x);
double qi_beta_quantile(double a, double b, double p); // the x with I_x(a, b) = p
// Upper regularised incomplete gamma Q(a, x). Source: DLMF 8.7.1, 8.9.2.
double qi_gamma_q(double a, double x);
double qi_chi2_above(double x, int df); // chance of a chi-square above x
double qi_normal(double z);             // chance of a normal number below z
double qi_normal_quantile(double p);
double qi_t_quantile(double p, double df); // Student's t
// Chance of k or less of n at p each.
double qi_binomial_below(int64_t k, int64_t n, double p);

// Whole number below n (n < 2^26), two of one draw; key the generator by what they are for.
void qi_pick2(const qiao_rng *r, uint64_t counter, uint32_t n, uint32_t at[2]);
void qi_sort(double *x, int n);
// Order of x: x[order[0]] <= x[order[1]] ..., equal ones by index. false: out of memory.
bool qi_order(const double *x, int n, int *order);

#endif
