// SPDX-License-Identifier: Apache-2.0
// fuzz_guard.c - the block `guards:`: any bytes end as limits in order or as words.
#include "brain/guard.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    qiao_diag d = {0};
    qi_yaml y;
    qi_guard_def def = qi_guard_default();
    bool ok = qi_yaml_open(&y, "m.yaml", (const char *)data, n, &d);
    yaml_node_t *root = ok ? qi_yaml_root(&y) : NULL;
    ok = root && qi_guard_read(&y, root, &def);
    qi_yaml_close(&y);
    if (!ok && (d.err == QIAO_OK || d.text[0] == 0)) abort(); // a refusal says why
    for (int k = 1; ok && k < QIAO_GUARD_COUNT; k++)
        if (!(def.rung[k].soft <= def.rung[k].damp && def.rung[k].damp <= def.rung[k].stop))
            abort();
    return 0;
}
