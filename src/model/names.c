// SPDX-License-Identifier: Apache-2.0
// names.c - look-ups by name.
#include "qiao/model.h"

#include <string.h>

static int find(const char *const *names, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

int qiao_model_body(const qiao_model *m, const char *name) {
    return find(m->body_name, m->nbody, name);
}
int qiao_model_joint(const qiao_model *m, const char *name) {
    return find(m->jnt_name, m->njnt, name);
}
int qiao_model_actuator(const qiao_model *m, const char *name) {
    return find(m->act_name, m->nu, name);
}
int qiao_model_site(const qiao_model *m, const char *name) {
    return find(m->site_name, m->nsite, name);
}
int qiao_model_geom(const qiao_model *m, const char *name) {
    return find(m->geom_name, m->ngeom, name);
}

double qiao_model_mass(const qiao_model *m) {
    double sum = 0;
    for (int i = 1; i < m->nbody; i++) sum += m->body_mass[i];
    return sum;
}

const qiao_signal *qiao_io_find(const qiao_io *io, const char *name, qiao_diag *d) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0) return &io->sig[i];
    const char *names[64];
    int n = io->nsig < 64 ? io->nsig : 64;
    for (int i = 0; i < n; i++) names[i] = io->sig[i].name;
    const char *near = qiao_nearest(name, names, n);
    qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no signal '%s' on this robot in this scenario%s%s%s",
                  name, near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
    return NULL;
}
