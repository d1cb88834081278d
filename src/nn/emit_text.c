// SPDX-License-Identifier: Apache-2.0
// emit_text.c - takes the C99 texts that run a step into the program (paths from the top folder).
#include "nn/emit.h"

#define TEXT_LIST(X)                               \
    X(prelude, "", "src/nn/plain_prelude.inc")     \
    X(plain, "", "src/nn/plain.h")                 \
    X(lanes, "", "src/base/lanes_math.h")          \
    X(act, "", "src/nn/kern_act.inc")              \
    X(layer, "", "src/nn/plain_layer.inc")         \
    X(math, "", "src/nn/plain_math.inc")           \
    X(elem, "", "src/nn/plain_elem.inc")           \
    X(copy, "copy", "src/nn/plain_copy.inc")       \
    X(dense, "dense", "src/nn/plain_dense.inc")    \
    X(reduce, "reduce", "src/nn/plain_reduce.inc") \
    X(conv, "conv", "src/nn/plain_conv.inc")       \
    X(rnn, "rnn", "src/nn/plain_rnn.inc")

// clang-format off
#define EMBED(id, family, path)                                               \
    __asm__(".pushsection .rodata\n"                                          \
            ".global qi_nn_text_" #id "\n.hidden qi_nn_text_" #id "\n"         \
            "qi_nn_text_" #id ":\n.incbin \"" path "\"\n.byte 0\n.popsection\n"); \
    extern const char qi_nn_text_##id[];
// clang-format on
TEXT_LIST(EMBED)

#define ENTRY(id, family, path) {#id, family, qi_nn_text_##id},
const qi_nn_text qi_nn_texts[] = {TEXT_LIST(ENTRY){0}};
