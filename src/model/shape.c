// SPDX-License-Identifier: Apache-2.0
// shape.c - the triangles of meshes and height fields, for records and pictures.
#include "qiao/model.h"

#include <mujoco/mujoco.h>

#include <stdlib.h>
#include <string.h>

static bool shape_alloc(qiao_shape *s, int nvert, int nface) {
    s->nvert = nvert, s->nface = nface;
    s->vert = calloc((size_t)nvert * 3 + 1, sizeof *s->vert);
    s->face = calloc((size_t)nface * 3 + 1, sizeof *s->face);
    return s->vert && s->face;
}

// The surface of a height field: two triangles for each cell, as MuJoCo collides with it.
static bool shape_hfield(const mjModel *mj, int id, qiao_shape *s) {
    int nr = mj->hfield_nrow[id], nc = mj->hfield_ncol[id], at = 0;
    const mjtNum *size = mj->hfield_size + 4 * id;
    const float *z = mj->hfield_data + mj->hfield_adr[id];
    if (nr < 2 || nc < 2) return shape_alloc(s, 0, 0);
    if (!shape_alloc(s, nr * nc, 2 * (nr - 1) * (nc - 1))) return false;
    for (int r = 0; r < nr; r++)
        for (int c = 0; c < nc; c++) {
            float *v = s->vert + 3 * (r * nc + c);
            v[0] = (float)(size[0] * (2.0 * c / (nc - 1) - 1));
            v[1] = (float)(size[1] * (2.0 * r / (nr - 1) - 1));
            v[2] = (float)(size[2] * (double)z[r * nc + c]);
        }
    for (int r = 0; r + 1 < nr; r++)
        for (int c = 0; c + 1 < nc; c++) {
            int a = r * nc + c, face[6] = {a, a + 1, a + nc + 1, a, a + nc + 1, a + nc};
            memcpy(s->face + at, face, sizeof face), at += 6;
        }
    return true;
}

static bool shape_mesh(const mjModel *mj, int id, qiao_shape *s) {
    if (!shape_alloc(s, mj->mesh_vertnum[id], mj->mesh_facenum[id])) return false;
    memcpy(s->vert, mj->mesh_vert + 3 * (size_t)mj->mesh_vertadr[id],
           (size_t)s->nvert * 3 * sizeof *s->vert);
    memcpy(s->face, mj->mesh_face + 3 * (size_t)mj->mesh_faceadr[id],
           (size_t)s->nface * 3 * sizeof *s->face);
    return true;
}

qiao_err qiao_model_shape(const qiao_model *m, int geom, qiao_shape *s) {
    memset(s, 0, sizeof *s);
    if (geom < 0 || geom >= m->ngeom) return QIAO_E_ARG;
    const mjModel *mj = m->mj;
    if (!mj) { // a model that was made by hand has primitives only
        memcpy(s->rgba, m->geom_rgba + 4 * geom, sizeof s->rgba);
        return QIAO_OK;
    }
    int mat = mj->geom_matid[geom], id = mj->geom_dataid[geom];
    // MuJoCo's rule: a colour of the geom's own, if it differs from the default grey, wins
    const float *rgba = mj->geom_rgba + 4 * geom, grey[4] = {0.5f, 0.5f, 0.5f, 1};
    if (mat >= 0 && memcmp(rgba, grey, sizeof grey) == 0) rgba = mj->mat_rgba + 4 * mat;
    memcpy(s->rgba, rgba, sizeof s->rgba);
    bool ok = true;
    if (mj->geom_type[geom] == mjGEOM_MESH && id >= 0) ok = shape_mesh(mj, id, s);
    if (mj->geom_type[geom] == mjGEOM_HFIELD && id >= 0) ok = shape_hfield(mj, id, s);
    if (ok) return QIAO_OK;
    free(s->vert), free(s->face);
    memset(s, 0, sizeof *s);
    return QIAO_E_MEM;
}
