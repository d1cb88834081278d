// SPDX-License-Identifier: Apache-2.0
// heightmap.c - the ground seen from above: every geom that never moves, one cell each 2 cm.
#include "model/mjguard.h"
#include "sim/engine.h"

#include <math.h>
#include <mujoco/mujoco.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 8 << 20 };
static const double TOP = 1000; // rays start up here

enum { PLANES_MAX = 16 };

struct qi_heightmap {
    double x0, y0, cell;
    int nx, ny, nplane;
    double plane[PLANES_MAX][3]; // height = a + b x + c y; what lies where no cell is
    float *z;                    // [nx][ny]
};

// Height of the highest plane; 0 if there is none.
static double planes_at(const qi_heightmap *h, double x, double y) {
    double top = h->nplane ? -INFINITY : 0;
    for (int i = 0; i < h->nplane; i++)
        top = fmax(top, h->plane[i][0] + h->plane[i][1] * x + h->plane[i][2] * y);
    return top;
}

// A plane's surface; one that stands upright or hangs face down is no ground.
static void add_plane(qi_heightmap *h, const double *p, const double *R) {
    double nx = R[2], ny = R[5], nz = R[8];
    if (nz < 0.05 || h->nplane == PLANES_MAX) return;
    double *o = h->plane[h->nplane++];
    o[1] = -nx / nz, o[2] = -ny / nz, o[0] = p[2] - o[1] * p[0] - o[2] * p[1];
}

// Geoms of bodies welded to the world, but not the robot's own.
static bool is_ground(const mjModel *m, int g, const qiao_part *robot, int nrobot_body) {
    if (m->body_weldid[m->geom_bodyid[g]] != 0) return false;
    if (m->geom_contype[g] == 0 && m->geom_conaffinity[g] == 0) return false;
    for (int i = 1; i < nrobot_body; i++)
        if (robot->body[i] == m->geom_bodyid[g]) return false;
    return true;
}

// Box of geom g in the world, x and y only.
static void footprint(const mjModel *m, const mjData *d, int g, double lo[2], double hi[2]) {
    const double *box = m->geom_aabb + 6 * g, *R = d->geom_xmat + 9 * g;
    for (int k = 0; k < 2; k++) {
        double c = d->geom_xpos[3 * g + k], half = 0;
        for (int j = 0; j < 3; j++) {
            c += R[3 * k + j] * box[j];
            half += fabs(R[3 * k + j]) * box[3 + j];
        }
        lo[k] = c - half, hi[k] = c + half;
    }
}

static double ray_down(const mjModel *m, const mjData *d, int g, double x, double y) {
    double from[3] = {x, y, TOP}, down[3] = {0, 0, -1};
    double t = m->geom_type[g] == mjGEOM_MESH ? mj_rayMesh(m, d, g, from, down, NULL)
               : m->geom_type[g] == mjGEOM_HFIELD
                   ? mj_rayHfield(m, d, g, from, down, NULL)
                   : mju_rayGeom(d->geom_xpos + 3 * g, d->geom_xmat + 9 * g, m->geom_size + 3 * g,
                                 from, down, m->geom_type[g], NULL);
    return t < 0 ? -INFINITY : TOP - t;
}

static void raster(qi_heightmap *h, const mjModel *m, const mjData *d, int g) {
    double lo[2], hi[2];
    footprint(m, d, g, lo, hi);
    int i0 = (int)fmax(0, ceil((lo[0] - h->x0) / h->cell)),
        j0 = (int)fmax(0, ceil((lo[1] - h->y0) / h->cell));
    int i1 = (int)fmin(h->nx - 1, floor((hi[0] - h->x0) / h->cell));
    int j1 = (int)fmin(h->ny - 1, floor((hi[1] - h->y0) / h->cell));
    for (int i = i0; i <= i1; i++)
        for (int j = j0; j <= j1; j++) {
            double z = ray_down(m, d, g, h->x0 + i * h->cell, h->y0 + j * h->cell);
            float *cell = &h->z[(size_t)i * (size_t)h->ny + (size_t)j];
            if (z > (double)*cell) *cell = (float)z;
        }
}

qi_heightmap *qi_heightmap_new(const qiao_model *model, const qiao_part *robot, int nrobot_body) {
    const mjModel *m = model->mj;
    mjData *d = qi_make_data(m);
    qi_heightmap *h = calloc(1, sizeof *h);
    if (!d || !h) goto fail;
    mj_kinematics(m, d);
    // the area of all bounded ground, and the planes around it
    double lo[2] = {1e9, 1e9}, hi[2] = {-1e9, -1e9};
    h->cell = 0.02;
    for (int g = 0; g < m->ngeom; g++) {
        if (!is_ground(m, g, robot, nrobot_body)) continue;
        if (m->geom_type[g] == mjGEOM_PLANE) {
            add_plane(h, d->geom_xpos + 3 * g, d->geom_xmat + 9 * g);
            continue;
        }
        double a[2], b[2];
        footprint(m, d, g, a, b);
        for (int k = 0; k < 2; k++) // ground ends 10 km from the origin
            lo[k] = fmax(fmin(lo[k], a[k]), -1e4), hi[k] = fmin(fmax(hi[k], b[k]), 1e4);
    }
    if (lo[0] > hi[0]) lo[0] = lo[1] = hi[0] = hi[1] = 0;
    while ((hi[0] - lo[0]) * (hi[1] - lo[1]) / (h->cell * h->cell) > CELLS_MAX) h->cell *= 1.5;
    h->x0 = lo[0], h->y0 = lo[1];
    h->nx = (int)((hi[0] - lo[0]) / h->cell) + 1, h->ny = (int)((hi[1] - lo[1]) / h->cell) + 1;
    size_t n = (size_t)h->nx * (size_t)h->ny;
    h->z = malloc(n * sizeof *h->z);
    if (!h->z) goto fail;
    for (int i = 0; i < h->nx; i++)
        for (int j = 0; j < h->ny; j++)
            h->z[(size_t)i * (size_t)h->ny + (size_t)j] =
                (float)planes_at(h, h->x0 + i * h->cell, h->y0 + j * h->cell);
    for (int g = 0; g < m->ngeom; g++)
        if (m->geom_type[g] != mjGEOM_PLANE && is_ground(m, g, robot, nrobot_body))
            raster(h, m, d, g);
    mj_deleteData(d);
    return h;
fail:
    mj_deleteData(d);
    qi_heightmap_free(h);
    return NULL;
}

void qi_heightmap_free(qi_heightmap *h) {
    if (h) free(h->z);
    free(h);
}

double qi_heightmap_at(const qi_heightmap *h, double x, double y) {
    double u = (x - h->x0) / h->cell, v = (y - h->y0) / h->cell;
    if (!(u >= -0.5 && v >= -0.5 && u < h->nx - 0.5 && v < h->ny - 0.5)) return planes_at(h, x, y);
    int i = (int)(u + 0.5), j = (int)(v + 0.5);
    return (double)h->z[(size_t)i * (size_t)h->ny + (size_t)j];
}
