// SPDX-License-Identifier: Apache-2.0
// test_sim_rows.c - what room sim does many at once has the bits of one by one: drives, quaternions.
#include "sim/engine.h"
#include "sim/quats.h"
#include "test.h"

#include <math.h>
#include <mujoco/mujoco.h>

static double draw(uint64_t k, uint32_t i) { // in -1 .. 1
    qiao_rng r = {.seed = 11, .purpose = 5};
    return 2 * qiao_rng_uniform(&r, k, i) - 1;
}

// A rotation of MuJoCo's, near or at the half turns too, as a float engine would have it.
static void rotation(uint64_t k, double m[9]) {
    double q[4];
    for (int i = 0; i < 4; i++) q[i] = draw(k, (uint32_t)i) * (k % 4 == 1 && i == 0 ? 1e-9 : 1);
    if (k % 4 == 2)
        for (int i = 0; i < 4; i++) q[i] = i == (int)(k / 4 % 4);
    mju_normalize4(q);
    mju_quat2Mat(m, q);
    for (int i = 0; k % 2 && i < 9; i++) m[i] = (double)(float)m[i];
    for (int i = 0; k % 97 == 0 && i < 9; i++) m[i] = 0; // no rotation at all
}

TEST(quaternions_are_mujocos_to_the_bit) {
    enum { LD = 16, ROUNDS = 4000 };
    int used = 0, formula[4] = {0};
    for (int t = 0; t < qi_quats_nall; t++) {
        const qi_quats_ops *op = qi_quats_all[t];
        if (!op->usable()) continue;
        used++;
        for (uint64_t k = 0; k < ROUNDS; k++) {
            double rot[9][LD] = {{0}}, q[4][LD], m[9], want[4];
            int n = 1 + (int)(k % LD);
            for (int l = 0; l < n; l++) {
                rotation(k * LD + (uint64_t)l, m);
                for (int i = 0; i < 9; i++) rot[i][l] = m[i];
            }
            op->run(rot[0], q[0], n, LD);
            for (int l = 0; l < n; l++) {
                for (int i = 0; i < 9; i++) m[i] = rot[i][l];
                mju_mat2Quat(want, m);
                int big = 0;
                for (int i = 0; i < 4; i++) {
                    CHECK(memcmp(&q[i][l], &want[i], sizeof *want) == 0, "%s: %.17g, not %.17g",
                          op->name, q[i][l], want[i]);
                    if (fabs(want[i]) > fabs(want[big])) big = i;
                }
                formula[big]++;
            }
        }
    }
    CHECK(used > 0);
    for (int i = 0; i < 4; i++) CHECK(formula[i] > ROUNDS / 10, "formula %d: %d", i, formula[i]);
}

enum { NU = 13, NQ = 7 + NU, NV = 6 + NU };

static qi_drive drive_of(uint64_t k, int i) {
    bool limit = draw(k, 40) > -0.5, knee = draw(k, 41) > 0;
    double top = 5 + 4 * draw(k, 60 + (uint32_t)i);
    return (qi_drive){.d = {.kp = 30 + 20 * draw(k, 100 + (uint32_t)i),
                            .kd = 1,
                            .torque_max = limit ? 20 : 0,
                            .speed_max = draw(k, 42) > -0.5 ? top : 0,
                            .speed_knee = knee ? top - 3 : 0},
                      .period = 1,
                      .delay = (int)(k % 3),
                      .qadr = 7 + i,
                      .vadr = 6 + i};
}

// Round k: commands, some with the drive's own gains, some not numbers; the state.
static void rows_of(uint64_t k, qi_cmds *c, double *q, double *qd) {
    for (int n = 0; n < 3; n++) {
        double x[5][NU];
        for (int i = 0; i < NU; i++) {
            for (int p = 0; p < 5; p++)
                x[p][i] = 9 * draw(k, (uint32_t)(200 + 100 * n + 5 * i + p));
            if (i % 3) x[2][i] = fabs(x[2][i]), x[3][i] = fabs(x[3][i]);
            if (k % 50 == 7 && i == 4) x[4][i] = NAN;
        }
        qi_cmds_push(c, n, (const double *const[5]){x[0], x[1], x[2], x[3], x[4]});
    }
    for (int i = 0; i < NQ; i++) q[i] = draw(k, 600 + (uint32_t)i);
    for (int i = 0; i < NV; i++) qd[i] = 10 * draw(k, 700 + (uint32_t)i);
}

TEST(drives_side_by_side_have_the_bits_of_one_by_one) {
    qiao_arena *a = qiao_arena_new();
    double row[4 * 5 * NU + QI_DRIVE_PAD] = {0}, q[NQ + QI_DRIVE_PAD] = {0};
    double qd[NV + QI_DRIVE_PAD] = {0};
    int64_t issued[4];
    int limited = 0, damped = 0;
    qi_drive_row o = {0};
    CHECK(qi_drive_row_new(&o, NU, a));
    for (uint64_t k = 0; k < 3000; k++) {
        qi_drive v[NU];
        qi_cmds c = {.nu = NU, .cap = 4, .issued = issued, .row = row};
        for (int i = 0; i < NU; i++) v[i] = drive_of(k, i);
        if (k % 5 == 1) v[2].qadr = 9, v[2].vadr = 3; // joints that do not follow each other
        if (k % 5 == 2) v[3].d.native = true;         // and drives that are not alike
        if (k % 5 == 3) v[3].delay++;
        if (k % 5 == 4) v[5].period = 2;
        rows_of(k, &c, q, qd);
        qi_drive_row_set(&o, v, NU);
        CHECK((o.n == NU) == (k % 5 < 2), "round %d", (int)(k % 5));
        for (int64_t at = 0; at < 4; at++) {
            double one[NU] = {0}, many[NU] = {0};
            qi_drive_step(v, &c, at, q, qd, one);
            qi_drive_row_step(&o, v, &c, at, q, qd, many);
            for (int i = 0; i < NU; i++) {
                bool nan = isnan(one[i]) && isnan(many[i]);
                CHECK(nan || memcmp(&one[i], &many[i], sizeof *one) == 0, "%.17g, not %.17g",
                      many[i], one[i]);
                limited += fabs(one[i]) == 20, damped += one[i] == 0;
            }
        }
    }
    CHECK(limited > 1000 && damped > 100, "%d at their limit, %d past their speed", limited,
          damped);
    qiao_arena_free(a);
}

extern const qi_drive_ops qi_drive_d1;
#ifdef __x86_64__
extern const qi_drive_ops qi_drive_d4_avx2, qi_drive_d8_avx512;
#endif

TEST(drives_have_the_same_bits_at_every_width) {
    qiao_arena *a = qiao_arena_new();
    const qi_drive_ops *op[] = {
#ifdef __x86_64__
        &qi_drive_d4_avx2, &qi_drive_d8_avx512,
#endif
        &qi_drive_d1};
    double row[4 * 5 * NU + QI_DRIVE_PAD] = {0}, q[NQ + QI_DRIVE_PAD] = {0};
    double qd[NV + QI_DRIVE_PAD] = {0};
    int64_t issued[4];
    qi_drive_row o = {0};
    CHECK(qi_drive_row_new(&o, NU, a));
    for (uint64_t k = 0; k < 1000; k++) {
        qi_drive v[NU];
        qi_cmds c = {.nu = NU, .cap = 4, .issued = issued, .row = row};
        for (int i = 0; i < NU; i++) v[i] = drive_of(k, i);
        rows_of(k, &c, q, qd);
        qi_drive_row_set(&o, v, NU);
        double want[NU + 1];
        qi_drive_d1.step(&o, row, NU, q + 7, qd + 6, want);
        for (size_t t = 0; t < sizeof op / sizeof *op; t++) {
            double got[NU + 1];
            if (!op[t]->usable()) continue;
            got[NU] = 7;
            op[t]->step(&o, row, NU, q + 7, qd + 6, got);
            CHECK(got[NU] == 7, "it writes past its end");
            for (int i = 0; i < NU; i++)
                CHECK(isnan(want[i]) || memcmp(&got[i], &want[i], sizeof *got) == 0);
        }
    }
    qiao_arena_free(a);
}
