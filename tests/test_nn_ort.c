// SPDX-License-Identifier: Apache-2.0
// test_nn_ort.c - policies and nets of every operator beside ONNX Runtime: tests/python/test_nn.py.
#include "test.h"

TEST(nets_of_every_operator_as_onnx_runtime) {
    static char out[20000];
    char command[1000];
    const char *build = getenv("QIAO_BUILD");
    if (TEST_SANITIZED) SKIP("the interpreter is not built with the sanitizers");
    snprintf(command, sizeof command,
             "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=build/extern/py:$PYTHONPATH "
             "python3 tests/python/test_nn.py %s/libqiao.so 1 15 2>&1",
             build ? build : "build/gcc");
    FILE *p = popen(command, "r");
    size_t n = p ? fread(out, 1, sizeof out - 1, p) : 0;
    out[n] = 0;
    int status = p ? pclose(p) : -1;
    if (strstr(out, "skip:") == out) SKIP("%.200s", out + 5);
    CHECK(status == 0 && strstr(out, "\n0 failed"), "%s", out);
}
