// SPDX-License-Identifier: Apache-2.0
// Worlds cast from a mold have the bits of worlds that are compiled.
#include "model/mold.h"
#include "qiao/task.h"
#include "test.h"

#include <mujoco/mjxmacro.h>

// What differs in bytes, by name; trees of bounding volumes and sizes for pictures aside.
static int differences(const mjModel *a, const mjModel *b, char *text, size_t n) {
    int count = 0;
    text[0] = 0;
#define X(type, name, nr, nc)                                                           \
    if (strncmp(#name, "bvh_", 4) != 0 && strncmp(#name, "light_", 6) != 0 &&           \
        strcmp(#name, "geom_rgba") != 0 && strcmp(#name, "body_bvhadr") != 0 &&         \
        memcmp(a->name, b->name, sizeof(type) * (size_t)(a->nr) * (size_t)(nc)) != 0) { \
        size_t at = strlen(text);                                                       \
        snprintf(text + at, n - at, " %s", #name);                                      \
        count++;                                                                        \
    }
#define XNV X
    MJMODEL_POINTERS_PREAMBLE(a)
    MJMODEL_POINTERS
#undef XNV
#undef X
    if (a->stat.meaninertia == b->stat.meaninertia) return count;
    size_t at = strlen(text);
    snprintf(text + at, n - at, " meaninertia %.17g, %.17g", a->stat.meaninertia,
             b->stat.meaninertia);
    return count + 1;
}

// The compiled world with the drives' armatures, as engines take it.
static mjModel *compiled(const qiao_robot *r, const qiao_case *c, qiao_model **w) {
    qiao_diag d = {0};
    double pos[3], yaw;
    qiao_case_place(c, pos, &yaw);
    *w = qiao_model_world(r, qiao_case_scene(c), pos, yaw, &d);
    CHECK(*w != NULL, "%s", d.text);
    mjModel *m = mj_copyModel(NULL, (*w)->mj);
    bool differ = false;
    for (int i = 0; i < r->model->nu; i++) {
        int j = r->model->act_joint[i];
        if (j < 0 || r->drive[i].armature < 0) continue;
        double *a = &m->dof_armature[m->jnt_dofadr[qiao_model_joint(*w, r->model->jnt_name[j])]];
        differ |= *a != r->drive[i].armature;
        *a = r->drive[i].armature;
    }
    mjData *data = mj_makeData(m);
    if (differ) mj_setConst(m, data);
    mj_deleteData(data);
    return m;
}

static int cast_all(const char *scenario, const char *robot, int n) {
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load(scenario, &d);
    qiao_robot *r = qiao_robot_load(robot, &d);
    CHECK(s && r, "%s", d.text);
    qi_mold *m = NULL;
    int casts = 0;
    for (int i = 0; i < n; i++) {
        qiao_case *c = qiao_case_new(s, r, 3, (uint64_t)i, &d);
        CHECK(c != NULL, "%s", d.text);
        double pos[3], yaw;
        qiao_case_place(c, pos, &yaw);
        if (!m) m = qi_mold_new(r, qiao_case_scene(c), pos, yaw, &d);
        CHECK(m != NULL, "%s", d.text);
        if (qi_mold_cast(m, qiao_case_scene(c), pos, yaw)) {
            qiao_model *w;
            char text[2000];
            mjModel *want = compiled(r, c, &w);
            int k = differences(want, qi_mold_numbers(m), text, sizeof text);
            CHECK(k == 0, "%s on %s, trial %d:%s", scenario, robot, i, text);
            CHECK(memcmp(w->q0, qi_mold_q0(m), (size_t)w->nq * sizeof(double)) == 0, "q0");
            casts++;
            mj_deleteModel(want);
            qiao_model_free(w);
        }
        qiao_case_free(c);
    }
    qi_mold_free(m), qiao_robot_free(r), qiao_scenario_free(s);
    return casts;
}

TEST(same_bits_as_compiled) {
    CHECK(cast_all("stand_push", "go2", 12) == 12);
    CHECK(cast_all("walk_flat", "tron1", 12) == 12);
    CHECK(cast_all("meet_person", "go2", 12) == 12);
    CHECK(cast_all("sort_bin", "panda", 12) == 12);
}
