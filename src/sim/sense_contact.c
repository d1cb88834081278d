// SPDX-License-Identifier: Apache-2.0
// sense_contact.c - what feet and hands feel, from the contacts of the last step; for any engine.
#include "sim/engine.h"

#include <mujoco/mujoco.h>
#include <string.h>

void qi_sense_foot(const qi_setup *s, const mjModel *m, const qiao_contact *contact, int n,
                   int foot, const double *site, qiao_sensor_kind kind, double *x) {
    double f[3] = {0, 0, 0};
    int body = s->foot_body[foot];
    for (int c = 0; c < n; c++) {
        const qiao_contact *o = &contact[c];
        double sign = o->body[1] == body ? 1 : o->body[0] == body ? -1 : 0;
        if (sign == 0) continue;
        // a sole, or what touches near the foot: the same link may also hit with its shin
        int own = o->geom[sign > 0] - m->body_geomadr[body];
        bool sole = own < 64 && (s->foot_sole[foot] >> own & 1);
        double r[3] = {o->pos_w[0] - site[0], o->pos_w[1] - site[1], o->pos_w[2] - site[2]};
        if (!sole && r[0] * r[0] + r[1] * r[1] + r[2] * r[2] > 0.06 * 0.06) continue;
        for (int k = 0; k < 3; k++) f[k] += sign * o->force_w[k];
    }
    if (kind == QIAO_SENSE_FOOT_FORCE)
        memcpy(x + 3 * foot, f, sizeof f);
    else
        x[foot] = f[0] * f[0] + f[1] * f[1] + f[2] * f[2] > 5 * 5; // switch closes at 5 N
}

static bool beyond(const mjModel *m, int body, int tool) { // body is the tool's or further out
    while (body > tool) body = m->body_parentid[body];
    return body == tool;
}

void qi_sense_wrench(const qi_setup *s, const mjModel *m, const qiao_contact *contact, int n,
                     const double *site, const double *rot, double *x) {
    int tool = m->site_bodyid[s->tool_site];
    double f[3] = {0}, t[3] = {0};
    for (int c = 0; c < n; c++) {
        const qiao_contact *o = &contact[c];
        bool on0 = beyond(m, o->body[0], tool), on1 = beyond(m, o->body[1], tool);
        if (on0 == on1) continue;
        double r[3], arm[3], one[3];
        for (int k = 0; k < 3; k++)
            r[k] = o->pos_w[k] - site[k], one[k] = on1 ? o->force_w[k] : -o->force_w[k];
        mju_cross(arm, r, one);
        for (int k = 0; k < 3; k++) f[k] += one[k], t[k] += arm[k];
    }
    mju_mulMatTVec3(x, rot, f), mju_mulMatTVec3(x + 3, rot, t);
}
