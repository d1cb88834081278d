// SPDX-License-Identifier: Apache-2.0
// Whatever text a scenario file holds: it loads and draws, or is refused with a reason.
#include "task/osc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static qiao_robot *robot(void) {
    static qiao_robot *r;
    qiao_diag d = {0};
    if (!r) r = qiao_robot_load("go2", &d);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes > 20000) return 0;
    qiao_diag d = {0};
    qiao_scenario *s = qi_scenario_parse((const char *)data, bytes, "fuzz.osc", &d);
    if (!s) {
        if (d.err == QIAO_OK || d.text[0] == 0) abort(); // refused without a reason
        return 0;
    }
    const qiao_param *p;
    int n = qiao_scenario_params(s, &p);
    for (int i = 0; i < n; i++)
        if (!(p[i].lo <= p[i].hi)) abort();
    qiao_case *c = robot() ? qiao_case_new(s, robot(), 1, 2, &d) : NULL;
    if (c) { // what was drawn lies in its range, and its text loads again
        for (int i = 0; i < n; i++) {
            double x = qiao_case_value(c, i), slack = 1e-9 * (1 + p[i].hi - p[i].lo);
            if (!(x >= p[i].lo - slack && x <= p[i].hi + slack)) abort();
        }
    } else if (robot() && d.err == QIAO_OK)
        abort();
    qiao_case_free(c), qiao_scenario_free(s);
    return 0;
}
