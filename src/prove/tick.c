// SPDX-License-Identifier: Apache-2.0
// tick.c - see tick.h.
#include "prove/tick.h"

#include <math.h>
#include <stdio.h>

// The physics step divides both periods; a brain whose rate does not fit is told what would.
qiao_err qi_clock(const qiao_brain *brain, double dt, int *brain_div, int *tick_div, qiao_diag *d) {
    double rate = qiao_brain_rate(brain), steps = 1 / (rate * dt);
    *brain_div = (int)lround(steps);
    if (*brain_div < 1 || fabs(steps - *brain_div) > 0.01 * steps)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                             "brain '%s' wants %g Hz, but physics steps at %g Hz; a rate that "
                             "divides it is needed, for instance %g Hz",
                             qiao_brain_name(brain), rate, 1 / dt,
                             1 / (dt * fmax(1, floor(steps + 1))));
    *tick_div = (int)lround(QIAO_TICK_NS * 1e-9 / dt);
    if (*tick_div < 1) *tick_div = 1;
    return QIAO_OK;
}

bool qi_tick(qiao_sim *s, int w, qiao_referee *ref, qiao_hash *trace, qiao_truth *truth) {
    qiao_err e = qiao_sim_status(s, w);
    char why[120];
    if (e) {
        snprintf(why, sizeof why, "the physics stopped: %s", qiao_err_text(e));
        qiao_referee_abort(ref, e, why);
    }
    qiao_sim_truth(s, w, truth);
    bool over = e || qiao_referee_step(ref, truth, s, w) != QIAO_RUNNING;
    qiao_sim_peaks_clear(s, w);
    qiao_sim_trace(s, w, trace);
    return over;
}
