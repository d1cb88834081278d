// SPDX-License-Identifier: Apache-2.0
// train.yaml: any bytes give a recipe or a fault, never a crash.
#include "learn/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qiao_diag d = {0};
    qi_recipe *r = qi_recipe_read("fuzz.yaml", (const char *)data, size, &d);
    if (!r && !d.err) __builtin_trap(); // a fault without words
    if (r && (r->nreward < 1 || r->worlds < 1 || !r->robot)) __builtin_trap();
    qi_recipe_free(r);
    return 0;
}
