// SPDX-License-Identifier: Apache-2.0
// onnx_write.h - a learned network as an ONNX file.
// source   ONNX protobuf schema, onnx.proto3 of version 1.16; field numbers in onnx_write.c
#ifndef QI_LEARN_ONNX_WRITE_H
#define QI_LEARN_ONNX_WRITE_H

#include "learn/ppo.h"

// Inputs "obs" [batch][nobs], output "actions" [batch][nact]. The normaliser is in the file, before
// the first layer, clipped as in training. key and text [nmeta]: metadata.
// The same bytes in memory: *bytes is the caller's to free.
qiao_err qi_onnx_make(const qi_ppo_view *v, int nmeta, const char *const *key,
                      const char *const *text, uint8_t **bytes, size_t *n, qiao_diag *d);
qiao_err qi_onnx_write(const qi_ppo_view *v, int nmeta, const char *const *key,
                       const char *const *text, const char *path, qiao_diag *d);

#endif
