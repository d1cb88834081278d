// SPDX-License-Identifier: Apache-2.0
// fuzz_onnx_meta.c - facts in an ONNX file's metadata: a small network of which the bytes are the
// values of the keys that importers read, separated by zeros.
#include "../onnx_make.h"
#include "brain/manifest.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char *const keys[] = {"joint_names",
                                       "joint_stiffness",
                                       "joint_damping",
                                       "default_joint_pos",
                                       "action_scale",
                                       "observation_names",
                                       "observation_history_lengths",
                                       "command_names",
                                       "kp",
                                       "kd",
                                       "command_ranges",
                                       "experiment_config",
                                       "dof_names"};
    enum { NKEY = sizeof keys / sizeof *keys };
    static const float w[48];
    static char text[8192];
    const char *meta[2 * NKEY + 1];
    int k = 0;
    if (n >= sizeof text) n = sizeof text - 1;
    memcpy(text, data, n), text[n] = 0;
    // the first byte says which keys are there
    size_t at = n ? 1 : 0;
    for (int i = 0; i < NKEY && at < n; i++) {
        if (i == NKEY - 1 && !(data[0] & 1)) break; // dof_names makes it the JSON form
        meta[2 * k] = keys[i], meta[2 * k++ + 1] = text + at;
        at += strlen(text + at) + 1;
    }
    meta[2 * k] = NULL;
    if (!onnx_layer("build/fuzz/meta.onnx", 24, 2, w, meta)) abort();
    qiao_diag d = {0};
    qi_manifest *m = qi_manifest_load("build/fuzz/meta.onnx", NULL, &d);
    if (!m && (d.err == QIAO_OK || d.text[0] == 0)) abort();
    char *out = m ? qi_manifest_write(m) : NULL;
    if (m && !out) abort();
    free(out);
    qi_manifest_free(m);
    return 0;
}
