// SPDX-License-Identifier: Apache-2.0
// sense.c - see sense.h. A sensor is read only at steps whose sample a brain will get; which those
// are follows from its rate, its delay and the brain's period.
#include "sim/sense.h"

#include "base/normals.h"

#include <math.h>
#include <string.h>

int64_t qi_sample_for(const qi_channel *c, int64_t k) {
    int64_t at = k - c->delay;
    if (at <= 0) return 0; // before the first arrival: the one of the reset
    return c->every == 1 ? at : at - at % c->every;
}

// Where the sample of step k is kept. Most channels sample at once and at each step: no division.
static int slot_of(const qi_channel *c, int64_t k) {
    int64_t n = c->every == 1 ? k : k / c->every;
    return (int)(c->slots == 2 ? n & 1 : n % c->slots);
}

bool qi_sample_due(const qi_channel *c, int64_t k, int period) {
    if (k % c->every != 0) return false;
    // the first observation that this sample can reach, and whether a later sample beats it
    int64_t first = (k + c->delay + period - 1) / period * period;
    return qi_sample_for(c, first) == k;
}

void qi_sample_begin(const qi_channel *c, qi_samples *s) {
    qiao_rng r = s->rng;
    r.purpose = c->purpose;
    double *b = s->bias + c->adr;
    memset(b, 0, (size_t)c->s.dim * sizeof *b);
    if (c->s.bias > 0) qi_rng_normals(&r, UINT64_MAX, 0, c->s.dim, b);
    for (int i = 0; i < c->s.dim; i++) b[i] *= c->s.bias;
}

// Gaussian noise per value and a constant bias per trial, each from its own numbers.
static void disturb(const qi_channel *c, const qi_samples *s, int64_t k, double *x) {
    if (c->s.kind == QIAO_SENSE_FOOT_CONTACT || (c->s.noise == 0 && c->s.bias == 0)) return;
    qiao_rng r = s->rng;
    r.purpose = c->purpose;
    double z[32];
    for (int at = 0, n; c->s.noise > 0 && at < c->s.dim; at += n) {
        n = c->s.dim - at < 32 ? c->s.dim - at : 32;
        qi_rng_normals(&r, (uint64_t)k, (uint32_t)at, n, z);
        for (int i = 0; i < n; i++) x[at + i] += c->s.noise * z[i];
    }
    for (int i = 0; c->s.bias > 0 && i < c->s.dim; i++) x[i] += s->bias[c->adr + i];
    // quaternions stay unit ones
    int from = c->s.kind == QIAO_SENSE_IMU_QUAT ? 0 : 3;
    int step = c->s.kind == QIAO_SENSE_IMU_QUAT ? 4 : 7;
    bool quat = c->s.kind == QIAO_SENSE_IMU_QUAT || c->s.kind == QIAO_SENSE_BASE_POSE ||
                c->s.kind == QIAO_SENSE_BODY_POSE;
    for (int i = from; quat && i + 4 <= c->s.dim; i += step) {
        double *q = x + i, n = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
        for (int j = 0; j < 4; j++) q[j] = n > 0 ? q[j] / n : j == 0;
    }
}

// Ground height less base height at the points of the grid, turned by the base's heading.
static void scan(const qi_channel *c, const qi_heightmap *map, const double *base, double *x) {
    double cx = base[3], cy = base[4], n = sqrt(cx * cx + cy * cy);
    cx = n > 1e-9 ? cx / n : 1, cy = n > 1e-9 ? cy / n : 0;
    int nx = c->s.grid_n[0], ny = c->s.grid_n[1];
    for (int i = 0; i < nx; i++)
        for (int j = 0; j < ny; j++) {
            double u = c->s.grid_center[0] + (i - 0.5 * (nx - 1)) * c->s.grid_step;
            double v = c->s.grid_center[1] + (j - 0.5 * (ny - 1)) * c->s.grid_step;
            double at_x = base[0] + cx * u - cy * v, at_y = base[1] + cy * u + cx * v;
            x[i * ny + j] = qi_heightmap_at(map, at_x, at_y) - base[2];
        }
}

void qi_sample_take(const qi_channel *c, qi_samples *s, const qi_engine *e, qi_world *w,
                    const qi_heightmap *map, int64_t k, double *scratch) {
    int slot = slot_of(c, k);
    int64_t *at = s->at + c->slot0 + slot;
    if (*at == k) return;
    double *x = s->store + c->ring + (size_t)slot * (size_t)c->s.dim;
    if (c->s.kind == QIAO_SENSE_COMMAND) {
        memcpy(x, s->command + c->adr, (size_t)c->s.dim * sizeof *x);
    } else if (c->s.kind == QIAO_SENSE_HEIGHT_SCAN) {
        e->sense(w, &c->s, c->index, scratch);
        scan(c, map, scratch, x);
    } else {
        e->sense(w, &c->s, c->index, x);
    }
    disturb(c, s, k, x);
    *at = k;
}

int64_t qi_sample_get(const qi_channel *c, const qi_samples *s, int64_t k, double *x) {
    int64_t want = qi_sample_for(c, k);
    int slot = slot_of(c, want);
    if (s->at[c->slot0 + slot] != want) return -1;
    memcpy(x, s->store + c->ring + (size_t)slot * (size_t)c->s.dim, (size_t)c->s.dim * sizeof *x);
    return want;
}
