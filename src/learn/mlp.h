// SPDX-License-Identifier: Apache-2.0
// learn/mlp.h - dense networks that learn: forward, backward, loss and Adam over one flat vector of
// parameters, one text (mlp.inc) for float in lanes and for double alone, which tests hold against
// finite differences.
// order    every sum has a fixed order of its own, so a number type has the same bits at any width
// layout   layer l: W [size[l]][ld[l + 1]], then b [ld[l + 1]]; ld is size rounded up to 16, and
//          the columns between are 0 and stay 0
#ifndef QI_LEARN_MLP_H
#define QI_LEARN_MLP_H

#include "qiao/base.h"

typedef enum qi_mlp_act { QI_MLP_ELU, QI_MLP_RELU, QI_MLP_TANH } qi_mlp_act; // of hidden layers

enum { QI_MLP_LAYERS = 6, QI_MLP_PAD = 16 };
typedef struct qi_mlp {
    qi_mlp_act act;
    int nlayer;
    int size[QI_MLP_LAYERS + 1], ld[QI_MLP_LAYERS + 1];
    size_t w[QI_MLP_LAYERS], b[QI_MLP_LAYERS]; // where they lie in the parameters
    size_t nparam;
    int widest; // largest ld
} qi_mlp;
static inline int qi_mlp_pad(int n) { return (n + QI_MLP_PAD - 1) / QI_MLP_PAD * QI_MLP_PAD; }
// size [nlayer + 1]: inputs, hidden layers, outputs.
qi_mlp qi_mlp_make(qi_mlp_act act, int nlayer, const int *size);
// The same by its hidden layers [nhidden].
qi_mlp qi_mlp_hidden(qi_mlp_act act, int nin, int nhidden, const int *hidden, int nout);
// Numbers of one row of activations, and where layer l's are in it (times the rows).
size_t qi_mlp_row(const qi_mlp *n);
// Numbers of scratch that backward needs for `rows` rows.
size_t qi_mlp_scratch(const qi_mlp *n, int rows);
// Numbers of packed weights, and of activations held, in bfloat16.
size_t qi_mlp_packed(const qi_mlp *n);
size_t qi_mlp_held(const qi_mlp *n, int rows);
// Orthogonal start (rows or columns of W are orthonormal times gain; hidden layers sqrt 2), b 0.
// source: A. Saxe et al., Exact solutions to the nonlinear dynamics of learning (2014)
void qi_mlp_start(const qi_mlp *n, const qiao_rng *r, double last_gain, float *param);

// One row of proximal policy optimisation. source: J. Schulman et al., Proximal policy optimization
// algorithms (2017), equation 7 and the clipped value loss of its reference code
typedef struct qi_ppo_rule {
    double clip, value, entropy; // width of the clip; weights of value loss and entropy bonus
} qi_ppo_rule;

typedef struct qi_mlp_ops {
    const char *name;
    bool f64;
    int lanes;
    int (*usable)(void);
    // act: layer after layer, [rows][ld[l]] each; the first is the input and is there already.
    void (*forward)(const qi_mlp *n, const void *param, int rows, void *act);
    // Adds to grad [nparam] (NULL: not wanted); dout [rows][ld of the last layer] is changed;
    // scratch: see above. din [rows][ld of the first] gets the derivatives by the inputs, unless NULL.
    void (*backward)(const qi_mlp *n, const void *param, int rows, const void *act, void *dout,
                     void *grad, void *din, void *scratch);
    // The same with products of bfloat16 that are summed in float; NULL in double.
    //   packed  weights as pack makes them, qi_mlp_packed numbers
    //   in      [rows][ld of the first] of 16 bits, as to_half makes them; 0 past its columns
    //   held    activations that backward needs, qi_mlp_held numbers
    //   out     [rows][ld of the last]
    void (*pack)(const qi_mlp *n, const void *param, void *packed);
    void (*to_half)(size_t n, const void *x, void *out); // n: a multiple of 16
    void (*forward_half)(const qi_mlp *n, const void *param, const void *packed, int rows,
                         const void *in, void *held, void *out, void *scratch);
    void (*backward_half)(const qi_mlp *n, const void *packed, int rows, const void *held,
                          const void *dout, void *grad, void *scratch);
    // Losses of rows and their derivatives, each times share.
    //   nact, lda  actions, and the columns of mean, old_mean, dmean, action; 0 past nact
    //   dmean      [rows][lda] out; dlogstd [lda] added to
    //   value      [rows][16] column 0, and so dvalue out
    //   sums       added to: loss, entropy, KL divergence old to new; sum: loss of the value
    void (*policy)(const qi_ppo_rule *r, int rows, int nact, int lda, double share,
                   const void *mean, const void *logstd, const void *old_mean,
                   const void *old_logstd, const void *action, const void *old_logp,
                   const void *advantage, void *dmean, void *dlogstd, double sums[3]);
    void (*value)(const qi_ppo_rule *r, int rows, double share, const void *value,
                  const void *old_value, const void *target, void *dvalue, double *sum);
    // Moves param against grad; step counts from 1. source: D. Kingma and J. Ba, Adam (2015)
    void (*adam)(size_t n, double rate, int64_t step, double scale, const void *grad, void *m,
                 void *v, void *param);
} qi_mlp_ops;

extern const qi_mlp_ops *const qi_mlp_all[]; // fastest first; the last is in double
extern const int qi_mlp_nall;
const qi_mlp_ops *qi_mlp_best(void); // of those in float
// AVX2 with multiplication and addition in one; a dot product of bfloat16 with the bits of half.inc
int qi_cpu_fma(void), qi_cpu_dot(void);

#endif
