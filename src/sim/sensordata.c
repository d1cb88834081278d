// SPDX-License-Identifier: Apache-2.0
// sensordata.c - MJCF's own sensors of one world: MuJoCo's forward pass on a copy of its state.
#include "model/mjguard.h"
#include "sim/sim.h"

#include <mujoco/mujoco.h>
#include <string.h>

int qiao_sim_sensordata(qiao_sim *s, int w, double *x, int cap) {
    if (w < 0 || w >= s->n || cap < 0 || (cap > 0 && !x)) return QIAO_E_ARG;
    int n = (int)s->w[w].model->mj->nsensordata;
    if (cap == 0 || n == 0) return n;
    mjModel *m = NULL;
    mjData *d = s->engine->copy(s->w[w].world, &m);
    volatile int answer = d ? n : QIAO_E_MEM;
    qi_guard g;
    qi_guard_arm(&g); // a model may be too large for its own arena
    if (d && setjmp(g.jump) == 0) {
        mj_forward(m, d);
        memcpy(x, d->sensordata, (size_t)(n < cap ? n : cap) * sizeof *x);
    } else if (d)
        answer = QIAO_E_LIMIT;
    qi_guard_disarm(&g);
    mj_deleteData(d), mj_deleteModel(m);
    return answer;
}
