// SPDX-License-Identifier: Apache-2.0
// lanes_hull.c - see lanes_hull.h.
#include "sim/lanes_hull.h"

#include <stdlib.h>
#include <string.h>

// Corners of the convex hull; NULL: out of memory.
static float *corners(const mjModel *m, int mesh, int *n) {
    const float *v = m->mesh_vert + 3 * m->mesh_vertadr[mesh];
    const int *graph = m->mesh_graphadr[mesh] < 0 ? NULL : m->mesh_graph + m->mesh_graphadr[mesh];
    *n = graph ? graph[0] : m->mesh_vertnum[mesh];
    float *x = malloc(((size_t)*n + 1) * 3 * sizeof *x);
    for (int i = 0; x && i < *n; i++) {
        int at = graph ? graph[2 + *n + i] : i; // after the counts and the edges' addresses
        memcpy(x + 3 * i, v + 3 * at, 3 * sizeof *x);
    }
    return x;
}

bool qi_hull_table(const mjModel *m, int mesh, double *table) {
    int n;
    float *x = corners(m, mesh, &n);
    if (!x) return false;
    double *o = table, d[3];
    for (int side = 0; side < 6; side++)
        for (int i = 0; i <= QI_HULL; i++)
            for (int j = 0; j <= QI_HULL; j++, o += 4) {
                int a = side / 2, best = 0;
                double most = -1e300;
                d[a] = side & 1 ? -1 : 1;
                d[(a + 1) % 3] = 2.0 * i / QI_HULL - 1, d[(a + 2) % 3] = 2.0 * j / QI_HULL - 1;
                for (int k = 0; k < n; k++) {
                    const float *c = x + 3 * k;
                    double h = d[0] * (double)c[0] + d[1] * (double)c[1] + d[2] * (double)c[2];
                    if (h > most) most = h, best = k;
                }
                o[0] = most;
                for (int k = 0; k < 3; k++) o[1 + k] = (double)x[3 * best + k];
            }
    free(x);
    return true;
}
