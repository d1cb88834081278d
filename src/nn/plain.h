// SPDX-License-Identifier: Apache-2.0
// nn/plain.h - what a step of a network is to the code that runs it. This header and the texts
// plain_*.inc are C99 without a library, for `qiao compile` writes them into its file as they are.
//   nn_arg    the numbers and arrays of one step, n items of it
//   nn_dense  a dense layer: the packed one of nn/kern.h, or a plain one in a written file
#ifndef QI_NN_PLAIN_H
#define QI_NN_PLAIN_H

// elementwise functions; those up to NN_EXP are activations of dense layers (nn/kern.h)
enum {
    NN_ID,
    NN_RELU,
    NN_LEAKY,
    NN_ELU,
    NN_SIGMOID,
    NN_TANH,
    NN_SOFTPLUS,
    NN_SWISH,
    NN_GELU,
    NN_GELU_TANH,
    NN_EXP,
    NN_ACTS,
    NN_NEG = NN_ACTS,
    NN_ABS,
    NN_SQRT,
    NN_LOG,
    NN_SIN,
    NN_COS,
    NN_TAN,
    NN_ERF,
    NN_RECIPROCAL,
    NN_FLOOR,
    NN_CEIL,
    NN_ROUND,
    NN_TRUNC,
    NN_SIGN,
    NN_NOT,
    NN_NONZERO,
    NN_SELU,
    NN_CELU,
    NN_HARDSIGMOID,
    NN_HARDSWISH,
    NN_MISH,
    NN_SOFTSIGN,
    NN_CLIP,
    NN_AFFINE,
    NN_SQUARE,
    NN_THRESHOLDED,
    NN_ISNAN,
    NN_SHRINK,
    NN_ATAN,
    NN_ASIN,
    NN_ACOS,
    NN_SINH,
    NN_COSH,
    NN_BF16,
    NN_HALF
};
// of two numbers
enum {
    NN_ADD,
    NN_SUB,
    NN_MUL,
    NN_DIV,
    NN_IDIV,
    NN_MIN,
    NN_MAX,
    NN_POW,
    NN_MOD,
    NN_FMOD,
    NN_EQUAL,
    NN_LESS,
    NN_LESSEQ,
    NN_GREATER,
    NN_GREATEREQ,
    NN_AND,
    NN_OR,
    NN_XOR,
    NN_PRELU
};

// of a row
enum {
    NN_SUM,
    NN_MEAN,
    NN_PROD,
    NN_L1,
    NN_L2,
    NN_SUMSQ,
    NN_TOP,
    NN_BOTTOM,
    NN_ARGMAX,
    NN_ARGMAX_LAST,
    NN_ARGMIN,
    NN_ARGMIN_LAST
};

typedef struct nn_arg {
    int n;                    // items
    const int *p;             // whole numbers of the step
    const float *f;           // numbers of the step
    const float *const *x;    // [inputs] of item 0; NULL: left out
    const int *xs;            // [inputs] from one item to the next; 0: the same for all
    float *const *y;          // [outputs]
    const int *ys;            // [outputs]
    const nn_dense *const *d; // [dense layers]
    float *work;              // numbers of the step's own
    void *scratch;            // of the dense layers
} nn_arg;
typedef void nn_core(const nn_arg *a);

#endif
