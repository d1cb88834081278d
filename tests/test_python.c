// SPDX-License-Identifier: Apache-2.0
// test_python.c - the Python package of this build, through its own tests in tests/python.
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Runs a command of the shell; its output to out, the exit status returned.
static int shell(const char *command, char *out, size_t size) {
    FILE *p = popen(command, "r");
    size_t n = p ? fread(out, 1, size - 1, p) : 0;
    out[n] = 0;
    while (p && !feof(p) && fread((char[256]){0}, 1, 256, p)) continue;
    return p ? pclose(p) : -1;
}

TEST(python_package_does_what_its_tests_say) {
    char command[2000], out[8000];
    const char *build = getenv("QIAO_BUILD");
    if (TEST_SANITIZED) SKIP("the interpreter is not built with the sanitizers");
    snprintf(command, sizeof command,
             "export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=%s/python:build/extern/py:$PYTHONPATH; "
             "python3 -c 'import numpy, cffi' 2>&1",
             build ? build : "build/gcc");
    if (shell(command, out, sizeof out)) SKIP("python3 has no numpy or no cffi");
    char *end = strstr(command, "python3 -c");
    snprintf(end, sizeof command - (size_t)(end - command),
             "python3 tests/python/test_qiao.py 2>&1");
    int status = shell(command, out, sizeof out);
    CHECK(status == 0, "%s", out);
    CHECK(strstr(out, " run, "), "%s", out);
}
