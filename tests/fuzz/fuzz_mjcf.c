// SPDX-License-Identifier: Apache-2.0
// fuzz_mjcf.c - the reader of MJCF and URDF: any bytes end as a robot that steps or as words.
// MuJoCo's library is not instrumented: what is found is in our use of it, or a crash in it.
#include "qiao/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void run(const qiao_robot *r) {
    qiao_diag d = {0};
    const double origin[3] = {0, 0, 1};
    qiao_model *w = qiao_model_world(
        r,
        "<mujoco><worldbody><geom name='_floor' type='plane' size='0 0 1'/></worldbody></mujoco>",
        origin, 1, &d);
    const qiao_model *worlds[1] = {w};
    const qiao_sensor grant = {
        .kind = QIAO_SENSE_HEIGHT_SCAN, .grid_n = {3, 3}, .grid_step = 0.1, .name = "_scan"};
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = worlds, def.grant = &grant, def.ngrant = 1;
    if (w) def.period = 2 * w->dt;
    qiao_sim *s = w ? qiao_sim_new(&def, &d) : NULL;
    if (!s && (d.err == QIAO_OK || d.text[0] == 0)) abort(); // a refusal says why
    if (s) {
        qiao_truth t;
        qiao_sim_step(s, 4), qiao_sim_observe(s), qiao_sim_truth(s, 0, &t);
        for (int i = 0; i < t.model->nq; i++)
            if (t.q[i] != t.q[i] || t.q[i] - t.q[i] != 0) abort(); // a stopped world is finite
    }
    qiao_sim_free(s), qiao_model_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static bool ready;
    qiao_diag d = {0};
    if (!ready && qiao_dir_make("build/fuzz/mjcf", &d)) abort();
    ready = true;
    if (qiao_file_write("build/fuzz/mjcf/robot.xml", data, n, &d)) abort();
    qiao_robot *r = qiao_robot_load("build/fuzz/mjcf/robot.xml", &d);
    if (!r && (d.err == QIAO_OK || d.text[0] == 0)) abort();
    if (r) run(r);
    qiao_robot_free(r);
    return 0;
}
