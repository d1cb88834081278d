// SPDX-License-Identifier: Apache-2.0
// fuzz_manifest.c - manifests of every YAML form: any bytes end as a manifest or as words. One that
// is read can be written, and what is written reads again to the same text.
#include "brain/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const qiao_robot *robot(void) {
    static qiao_robot *r;
    qiao_diag d = {0};
    if (!r) setenv("QIAO_HOME", ".", 0), r = qiao_robot_load("go2", &d);
    if (!r) abort();
    return r;
}

static void stop(const char *a, const char *b) {
    fprintf(stderr, "%s\n---\n%s\n", a, b ? b : "");
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    qiao_diag d = {0};
    unsetenv("QIAO_DATA");
    qi_manifest *m =
        qi_manifest_read("m.yaml", (const char *)data, n, "tests/data/manifest", robot(), &d);
    if (!m) {
        if (d.err == QIAO_OK || d.text[0] == 0) abort(); // a refusal says why
        return 0;
    }
    char *one = qi_manifest_write(m);
    if (!one) abort();
    qi_manifest *again =
        qi_manifest_read("w.yaml", one, strlen(one), "tests/data/manifest", robot(), &d);
    if (!again) stop(d.text, one);
    char *two = qi_manifest_write(again);
    const char *a = strstr(one, "network:"), *b = two ? strstr(two, "network:") : NULL;
    if (!a || !b || strcmp(a, b) != 0) stop(one, two);
    free(one), free(two);
    qi_manifest_free(again), qi_manifest_free(m);
    return 0;
}
