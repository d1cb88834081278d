// SPDX-License-Identifier: Apache-2.0
// qiao/nn.h - trained networks. So far the number types of their weights; the kernels that take
// them are src/nn/kern.h, and reading and running an ONNX file is not there yet.
#ifndef QIAO_NN_H
#define QIAO_NN_H

#include "qiao/base.h"

typedef enum qiao_nn_type { QIAO_NN_F32, QIAO_NN_BF16, QIAO_NN_I8 } qiao_nn_type;

#endif
