// SPDX-License-Identifier: Apache-2.0
// identify.c - see qiao_identify: Levenberg and Marquardt's method; all columns of the derivative
// are worlds of one sim, one number moved in each.
#include "qiao/learn.h"
#include "qiao/sim.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// What can be fitted: factors by their logarithm, others as they are.
static const struct {
    const char *name, *unit;
    size_t at; // in qiao_vary
    bool factor;
    double step, most; // of the derivative; how far it may go
} known[] = {
    {"damping", "1", offsetof(qiao_vary, damping), true, 1e-4, 4},
    {"frictionloss", "1", offsetof(qiao_vary, frictionloss), true, 1e-4, 4},
    {"armature", "1", offsetof(qiao_vary, armature), true, 1e-4, 4},
    {"mass", "1", offsetof(qiao_vary, mass), true, 1e-4, 2},
    {"payload", "kg", offsetof(qiao_vary, payload), false, 1e-4, 20},
    {"kp", "1", 0, true, 1e-4, 3},
    {"kd", "1", 0, true, 1e-4, 3},
    {"torque", "1", offsetof(qiao_vary, torque), true, 1e-4, 2},
    {"delay", "s", offsetof(qiao_vary, delay), false, 0, 0.05},
};
enum { KNOWN = sizeof known / sizeof *known, P_KP = 5, P_KD = 6, P_DELAY = 8, PARAMS = 16 };
const char *qiao_ident_name(int i) { return i >= 0 && i < KNOWN ? known[i].name : NULL; }

typedef struct fit {
    const qiao_ident_def *def;
    qiao_robot robot; // without noise
    qiao_arena *arena;
    qiao_sim *sim;
    int which[PARAMS], np; // parameters but delay
    bool with_delay;
    int nj, adr_q, adr_qd, nstep, nu;
    int nx, nworld, nres; // unknowns: parameters, start q, start qd; worlds: one more
    double *x;            // [nx + nj] then offsets of the encoders
    double *res;          // [nworld][n][2 nj] what the worlds' encoders say less what was measured
    double *a, *g, *cov;  // normal equations [all][all], [all]; inverse
    qiao_cmd cmd;
    int *qadr, *vadr; // [nj]
    double *start;    // [2 nj] first q and qd that were measured
    bool *driven;     // [nj] by a drive that follows commands: the others' encoders are not fitted
    int count[2];     // measurements of q, of qd
    double delay, weight_q, weight_qd;
    qiao_diag *d;
} fit;

static int unknowns(const fit *f) { return f->nx + f->nj; }

static bool get(fit *f, void *out, size_t bytes) {
    void *p = qiao_arena_get(f->arena, bytes);
    memcpy(out, &p, sizeof p);
    return p != NULL;
}

static const qiao_signal *signal_of(const qiao_io *io, const char *name) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0) return &io->sig[i];
    return NULL;
}

// A joint that no drive moves, or one with a law of its own, may rest at its limit or hang on an
// equality: where it began is no smooth number, and what it does tells little of the drives.
static bool is_driven(const qiao_robot *r, const char *joint) {
    for (int u = 0; u < r->model->nu; u++) {
        int j = r->model->act_joint[u];
        if (j >= 0 && !r->drive[u].native && strcmp(r->model->jnt_name[j], joint) == 0) return true;
    }
    return false;
}

// Where a joint began, as far as was measured, inside its range.
static void begin_joint(fit *f, int j, int joint) {
    const qiao_model *m = f->def->world;
    double *q = &f->start[j], lo = m->jnt_range[2 * joint], hi = m->jnt_range[2 * joint + 1];
    *q = m->q0[f->qadr[j]], f->start[f->nj + j] = 0;
    for (int side = 0; side < 2; side++) {
        const double *x = side ? f->def->qd : f->def->q;
        int first = f->def->n, n = 0;
        for (int i = f->def->n; i-- > 0;)
            if (isfinite(x[i * f->nj + j])) first = i, n++;
        if (f->driven[j]) f->count[side] += n;
        if (first < f->def->n && (side == 0 || f->driven[j]))
            f->start[side * f->nj + j] = x[first * f->nj + j];
    }
    if (hi > lo) *q = fmin(fmax(*q, lo), hi);
}

static qiao_err bind(fit *f) {
    const qiao_ident_def *def = f->def;
    const qiao_io *io = qiao_sim_io(f->sim);
    const qiao_signal *q = signal_of(io, "joint_pos"), *qd = signal_of(io, "joint_vel");
    if (!q || !qd)
        return qiao_diag_set(f->d, QIAO_E_FIT, NULL, 0, 0,
                             "robot '%s' has no encoders: signals "
                             "joint_pos and joint_vel",
                             def->robot->name);
    f->adr_q = q->adr, f->adr_qd = qd->adr;
    for (int j = 0; j < f->nj; j++) {
        int k = qiao_model_joint(def->world, q->element[j]);
        f->qadr[j] = def->world->jnt_qadr[k], f->vadr[j] = def->world->jnt_vadr[k];
        f->driven[j] = is_driven(def->robot, q->element[j]);
        begin_joint(f, j, k);
    }
    if (f->count[0] > 10 * f->nj && f->count[1] > 10 * f->nj) return QIAO_OK;
    return qiao_diag_set(f->d, QIAO_E_ARG, NULL, 0, 0,
                         "%d positions and %d speeds of %d joints were measured, too few",
                         f->count[0], f->count[1], f->nj);
}

// A robot that senses without noise, and as many worlds as there are columns.
static qiao_err make(fit *f) {
    const qiao_ident_def *def = f->def;
    const qiao_robot *r = def->robot;
    f->robot = *r;
    qiao_sensor *s = qiao_arena_get(f->arena, (size_t)(r->nsensor + 1) * sizeof *s);
    if (!s) return QIAO_E_MEM;
    f->robot.nsensor = 0;
    for (int i = 0; i < r->nsensor; i++)
        if (r->sensor[i].kind == QIAO_SENSE_JOINT_POS ||
            r->sensor[i].kind == QIAO_SENSE_JOINT_VEL) {
            s[f->robot.nsensor] = r->sensor[i];
            s[f->robot.nsensor].noise = s[f->robot.nsensor].bias = 0;
            if (r->sensor[i].kind == QIAO_SENSE_JOINT_POS) f->nj = r->sensor[i].dim;
            f->robot.nsensor++;
        }
    f->robot.sensor = s;
    f->nu = r->model->nu, f->nx = f->np + 2 * f->nj, f->nworld = f->nx + 1;
    f->nres = def->n * 2 * f->nj;
    size_t all = (size_t)unknowns(f), row = (size_t)f->nworld * (size_t)f->nu;
    const qiao_model **world = qiao_arena_get(f->arena, (size_t)f->nworld * sizeof *world);
    double *c;
    if (!world || !get(f, &f->x, all * sizeof *f->x) || !get(f, &c, 5 * row * sizeof *c) ||
        !get(f, &f->res, (size_t)f->nworld * (size_t)f->nres * sizeof *f->res) ||
        !get(f, &f->a, all * all * sizeof *f->a) || !get(f, &f->cov, all * all * sizeof *f->cov) ||
        !get(f, &f->g, all * sizeof *f->g) || !get(f, &f->qadr, (size_t)f->nj * sizeof *f->qadr) ||
        !get(f, &f->vadr, (size_t)f->nj * sizeof *f->vadr) ||
        !get(f, &f->start, 2 * (size_t)f->nj * sizeof *f->start) ||
        !get(f, &f->driven, (size_t)f->nj * sizeof *f->driven))
        return QIAO_E_MEM;
    for (int i = 0; i < f->nworld; i++) world[i] = def->world;
    f->cmd = (qiao_cmd){f->nworld, f->nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = "lanes", sd.nworld = f->nworld, sd.nthread = def->nthread, sd.robot = &f->robot;
    sd.world = world, sd.period = def->period;
    f->nstep = (int)lround(def->period / def->world->dt);
    f->sim = qiao_sim_new(&sd, f->d);
    return f->sim ? bind(f) : f->d->err;
}

// ---- a run of all worlds ----

static double moved(const fit *f, int w, int i) { // unknown i in world w
    double x = f->x[i];
    if (w != i + 1 || (i >= f->np && !f->driven[(i - f->np) % f->nj])) return x;
    return x + (i < f->np ? known[f->which[i]].step : i < f->np + f->nj ? 1e-6 : 1e-5);
}

static qiao_err start_world(fit *f, int w, double *gain) {
    const qiao_model *m = f->def->world;
    qiao_vary v = qiao_vary_default();
    double q[512], qd[512] = {0};
    if (m->nq > 512 || m->nv > 512) return QIAO_E_LIMIT;
    gain[0] = gain[1] = 1;
    for (int i = 0; i < f->np; i++) {
        int k = f->which[i];
        double x = moved(f, w, i), value = known[k].factor ? exp(x) : x;
        if (k == P_KP || k == P_KD)
            gain[k - P_KP] = value;
        else
            memcpy((char *)&v + known[k].at, &value, sizeof value);
    }
    v.delay = f->delay;
    qiao_err e = qiao_sim_vary(f->sim, w, &v, f->d);
    if (!e) e = qiao_sim_reset(f->sim, w, 1, 0);
    memcpy(q, m->q0, (size_t)m->nq * sizeof *q);
    for (int j = 0; j < f->nj; j++) {
        q[f->qadr[j]] = moved(f, w, f->np + j);
        qd[f->vadr[j]] = moved(f, w, f->np + f->nj + j);
    }
    return e ? e : qiao_sim_set(f->sim, w, q, qd);
}

static void decide(fit *f, int w, int k, const double gain[2]) {
    const qiao_ident_def *def = f->def;
    double *to[5] = {f->cmd.q, f->cmd.qd, f->cmd.kp, f->cmd.kd, f->cmd.tau};
    for (int c = 0; c < 5; c++)
        memcpy(to[c] + (size_t)w * (size_t)f->nu, def->cmd[c] + (size_t)k * (size_t)f->nu,
               (size_t)f->nu * sizeof(double));
    for (int u = 0; u < f->nu; u++) { // gains are the command's or the drive's own
        double *kp = &f->cmd.kp[w * f->nu + u], *kd = &f->cmd.kd[w * f->nu + u];
        *kp = gain[0] * (*kp < 0 ? def->robot->drive[u].kp : *kp);
        *kd = gain[1] * (*kd < 0 ? def->robot->drive[u].kd : *kd);
    }
}

// Row k of world w. Returns how far it is from world 0, in steps of the derivative.
static double compare(fit *f, int w, int k, const double *x) {
    size_t nj = (size_t)f->nj, at = (size_t)k * 2 * nj;
    double *r = f->res + (size_t)w * (size_t)f->nres + at, *r0 = f->res + at, far = 0;
    for (size_t j = 0; j < nj; j++) {
        r[j] = x[f->adr_q + (int)j] - f->def->q[(size_t)k * nj + j];
        r[nj + j] = x[f->adr_qd + (int)j] - f->def->qd[(size_t)k * nj + j];
    }
    for (size_t j = 0; j < 2 * nj; j++)
        if (!isnan(r[j]) && f->driven[j % nj]) far = fmax(far, fabs(r[j] - r0[j]));
    return far / (w > f->np + f->nj ? 1e-5 : 1e-6);
}

// Every world's encoders less what was measured. Offsets of the encoders are no part of it yet. A
// world that began elsewhere and has come back to world 0 for half a second stays there.
static qiao_err run_worlds(fit *f) {
    const qiao_ident_def *def = f->def;
    const double forgotten = 1e-4;
    double(*gain)[2] = malloc((size_t)f->nworld * sizeof *gain);
    int *since = calloc((size_t)f->nworld, sizeof *since); // rows; -1: over
    qiao_err e = gain && since ? QIAO_OK : QIAO_E_MEM;
    for (int w = 0; w < f->nworld && !e; w++) e = start_world(f, w, gain[w]);
    for (int k = 0; k < def->n && !e; k++) {
        const qiao_obs *o = qiao_sim_observe(f->sim);
        for (int w = 0; w < f->nworld; w++) {
            size_t at = (size_t)k * 2 * (size_t)f->nj;
            if (since[w] < 0) {
                memcpy(f->res + (size_t)w * (size_t)f->nres + at, f->res + at,
                       2 * (size_t)f->nj * sizeof *f->res);
                continue;
            }
            double far = compare(f, w, k, o->x + (size_t)w * (size_t)o->nobs);
            since[w] = far < forgotten ? since[w] + 1 : 0;
            if (w > f->np && since[w] * def->period > 0.5) {
                since[w] = -1;
                qiao_sim_stop(f->sim, w);
                continue;
            }
            decide(f, w, k, gain[w]);
        }
        qiao_sim_command(f->sim, &f->cmd);
        qiao_sim_step(f->sim, f->nstep);
        e = qiao_sim_status(f->sim, 0);
    }
    free(gain), free(since);
    return e;
}

// ---- least squares ----

static double offset_of(const fit *f, int j) { return j < f->nj ? f->x[f->nx + j] : 0; }

// Rough knowledge that keeps what the data do not tell from running away: starts and offsets.
static double prior(const fit *f, int i) {                         // 1 / variance
    if (i < f->np) return known[f->which[i]].factor ? 0.25 : 1e-4; // rarely off by more than e^4
    if (i < f->np + f->nj) return 1 / (0.05 * 0.05);
    return i < f->nx ? 1 / (0.2 * 0.2) : 1 / (0.02 * 0.02);
}
static double guess(const fit *f, int i) { // and where it is thought to be
    if (i < f->np || i >= f->nx) return 0;
    return f->start[i - f->np];
}

// Weighted sum of squares of world 0, priors included.
static double cost(const fit *f) {
    double sum = 0;
    int nj2 = 2 * f->nj;
    for (int k = 0; k < f->nres; k++) {
        int j = k % nj2;
        double r = f->res[k] + offset_of(f, j);
        if (isnan(r) || !f->driven[j % f->nj]) continue; // not measured
        sum += (j < f->nj ? f->weight_q : f->weight_qd) * r * r;
    }
    for (int i = 0; i < unknowns(f); i++)
        sum += prior(f, i) * (f->x[i] - guess(f, i)) * (f->x[i] - guess(f, i));
    return sum;
}

static void normal_equations(fit *f) {
    int n = unknowns(f), nj2 = 2 * f->nj;
    double *col = f->cov; // [n] of one residual; used up before the inverse is made
    memset(f->a, 0, (size_t)n * (size_t)n * sizeof *f->a),
        memset(f->g, 0, (size_t)n * sizeof *f->g);
    for (int k = 0; k < f->nres; k++) {
        int j = k % nj2;
        double w = j < f->nj ? f->weight_q : f->weight_qd, r = f->res[k] + offset_of(f, j);
        if (isnan(r) || !f->driven[j % f->nj]) continue;
        for (int i = 0; i < f->nx; i++) {
            double step = moved(f, i + 1, i) - f->x[i];
            col[i] =
                step == 0
                    ? 0
                    : (f->res[(size_t)(i + 1) * (size_t)f->nres + (size_t)k] - f->res[k]) / step;
        }
        for (int i = 0; i < f->nj; i++) col[f->nx + i] = i == j;
        for (int i = 0; i < n; i++) {
            if (col[i] == 0) continue;
            f->g[i] += w * col[i] * r;
            for (int l = 0; l <= i; l++) f->a[i * n + l] += w * col[i] * col[l];
        }
    }
    for (int i = 0; i < n; i++) {
        f->a[i * n + i] += prior(f, i), f->g[i] += prior(f, i) * (f->x[i] - guess(f, i));
        for (int l = 0; l < i; l++) f->a[l * n + i] = f->a[i * n + l];
    }
}

// Cholesky's factor of a + damp diag(a) in place of out; false: not positive.
static bool factor(const double *a, int n, double damp, double *out) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double s = a[i * n + j] * (i == j ? 1 + damp : 1);
            for (int k = 0; k < j; k++) s -= out[i * n + k] * out[j * n + k];
            if (i == j && !(s > 0)) return false;
            out[i * n + j] = i == j ? sqrt(s) : s / out[j * n + j];
        }
    return true;
}
static void solve(const double *l, int n, const double *b, double *x) {
    for (int i = 0; i < n; i++) {
        double s = b[i];
        for (int k = 0; k < i; k++) s -= l[i * n + k] * x[k];
        x[i] = s / l[i * n + i];
    }
    for (int i = n; i-- > 0;) {
        double s = x[i];
        for (int k = i + 1; k < n; k++) s -= l[k * n + i] * x[k];
        x[i] = s / l[i * n + i];
    }
}

// Noise that is left, as weights for the next round; the smallest keeps an exact fit finite.
static void weigh(fit *f) {
    double q = 0, qd = 0, used = 0.5 * unknowns(f);
    int nj2 = 2 * f->nj;
    for (int k = 0; k < f->nres; k++) {
        int j = k % nj2;
        double r = f->res[k] + offset_of(f, j);
        if (!isnan(r) && f->driven[j % f->nj]) *(j < f->nj ? &q : &qd) += r * r;
    }
    f->weight_q = 1 / fmax(q / fmax(f->count[0] - used, 1), 1e-18),
    f->weight_qd = 1 / fmax(qd / fmax(f->count[1] - used, 1), 1e-16);
}

static void bound(fit *f) {
    for (int i = 0; i < f->np; i++) {
        double most = known[f->which[i]].most;
        f->x[i] = fmin(fmax(f->x[i], -most), most);
    }
}

// From f->x on until nothing gains; the worlds' residuals stay those of the best x.
static qiao_err descend(fit *f, int *iterations, double *best) {
    enum { MOST = 60 };
    int n = unknowns(f);
    double damp = 1e-3, *keep = malloc(2 * (size_t)n * sizeof *keep), *dx = keep + n;
    double *l = malloc((size_t)n * (size_t)n * sizeof *l);
    qiao_err e = keep && l ? run_worlds(f) : QIAO_E_MEM;
    *best = e ? 0 : cost(f);
    for (int it = 0; it < MOST && !e; it++, ++*iterations) {
        normal_equations(f);
        memcpy(keep, f->x, (size_t)n * sizeof *keep);
        bool better = false;
        double gain = 0;
        for (int t = 0; t < 14 && !better && !e; t++, damp *= 10) {
            if (!factor(f->a, n, damp, l)) continue;
            solve(l, n, f->g, dx);
            for (int i = 0; i < n; i++) f->x[i] = keep[i] - dx[i];
            bound(f);
            qiao_err bad = run_worlds(f);
            double c = bad ? INFINITY : cost(f);
            better = c < *best;
            if (better) gain = *best - c, *best = c;
        }
        if (!better) {
            memcpy(f->x, keep, (size_t)n * sizeof *keep);
            e = run_worlds(f);
            break;
        }
        damp = fmax(damp * 0.01, 1e-9);
        if (gain < 1e-6 * *best) break;
    }
    free(keep), free(l);
    return e;
}

static void begin_at(fit *f) {
    for (int i = 0; i < unknowns(f); i++) f->x[i] = guess(f, i);
    f->weight_q = 1 / (0.01 * 0.01), f->weight_qd = 1 / (0.1 * 0.1);
}

// Fit; weigh by what is left, fit again, so many times.
static qiao_err fit_at(fit *f, double delay, int rounds, int *iterations, double *best) {
    f->delay = delay;
    qiao_err e = descend(f, iterations, best);
    for (int i = 0; i < rounds && !e; i++) weigh(f), e = descend(f, iterations, best);
    return e;
}

// The best of all delays, from the start's fit on: *at, with its numbers in x [unknowns].
static qiao_err scan_delays(fit *f, int *iterations, double *at, double *x) {
    double dt = f->def->world->dt, best = 0, c[32];
    size_t bytes = (size_t)unknowns(f) * sizeof *x;
    int n = (int)fmin(31, floor(known[P_DELAY].most / dt)) + 1, tried = 0;
    qiao_err e = QIAO_OK;
    for (; tried < n; tried++) {
        if ((e = fit_at(f, tried * dt, tried == 0, iterations, &c[tried]))) break;
        if (tried == 0) e = fit_at(f, 0, 0, iterations, &c[0]);
        if (tried == 0 || c[tried] < best)
            best = c[tried], *at = tried * dt, memcpy(x, f->x, bytes);
        if (tried > 1 && c[tried] > c[tried - 1] && c[tried - 1] > c[tried - 2] &&
            c[tried] > best + 100)
            break;
    }
    return e == QIAO_E_LIMIT && tried > 0 ? QIAO_OK : e; // longer than the commands kept
}

// The delay is a whole number of physics steps: all are tried. Its interval is where the cost is
// within the 95 % point of chi squared of the best, and half a step around.
static qiao_err fit_delay(fit *f, int *iterations, qiao_ident_value *out) {
    double dt = f->def->world->dt, best = 0, at = 0, *x = malloc((size_t)f->nx * 2 * sizeof *x);
    size_t bytes = (size_t)unknowns(f) * sizeof *x;
    qiao_err e = x ? scan_delays(f, iterations, &at, x) : QIAO_E_MEM;
    // once more with the noise of the best
    if (!e) memcpy(f->x, x, bytes), e = fit_at(f, at, 2, iterations, &best);
    if (!e) memcpy(x, f->x, bytes);
    double lo = at, hi = at;
    for (int side = -1; side <= 1 && !e; side += 2) {
        memcpy(f->x, x, bytes);
        for (double t = at + side * dt; t >= -1e-9 && t < known[P_DELAY].most; t += side * dt) {
            double c;
            if (fit_at(f, t, 0, iterations, &c) || c > best + 3.841) break;
            *(side < 0 ? &lo : &hi) = t;
        }
    }
    if (!e) memcpy(f->x, x, bytes), f->delay = at, e = run_worlds(f);
    *out = (qiao_ident_value){"delay", "s", at, fmax(0, lo - 0.5 * dt), hi + 0.5 * dt, true, -1, 0};
    free(x);
    return e;
}

// What the number is most easily taken for: column x of the covariance, all variances beside it.
static void alike(const fit *f, int i, const double *cov, qiao_ident_value *v) {
    v->like = -1;
    for (int k = 0; k < f->np; k++) {
        double c = cov[i * f->np + k] / sqrt(cov[i * f->np + i] * cov[k * f->np + k]);
        if (k != i && fabs(c) > fabs(v->alike)) v->alike = c, v->like = k;
    }
}

static void tell(const fit *f, const double *cov, qiao_ident_result *out) {
    for (int i = 0; i < f->np; i++) {
        double s = sqrt(cov[i * f->np + i]), at = f->x[i], z = 1.959963984540054 * s;
        int k = f->which[i];
        qiao_ident_value v = {known[k].name, known[k].unit, at, at - z, at + z, .told = true};
        if (known[k].factor) v.value = exp(at), v.low = exp(at - z), v.high = exp(at + z);
        if (known[k].factor && s > 1) v.told = false;
        alike(f, i, cov, &v);
        out->value[out->n++] = v;
    }
}

static qiao_err intervals(fit *f, qiao_ident_result *out) {
    int n = unknowns(f), ntold = f->with_delay;
    double *l = malloc((size_t)n * (size_t)n * sizeof *l), *e1 = calloc(2 * (size_t)n, sizeof *e1);
    double *cov = calloc((size_t)f->np * (size_t)f->np + 1, sizeof *cov);
    qiao_err e = l && e1 && cov ? QIAO_OK : QIAO_E_MEM;
    if (!e) normal_equations(f);
    if (!e && !factor(f->a, n, 0, l)) e = QIAO_E_INFEASIBLE;
    for (int i = 0; i < f->np && !e; i++) {
        memset(e1, 0, (size_t)n * sizeof *e1);
        e1[i] = 1;
        solve(l, n, e1, e1 + n);
        memcpy(cov + i * f->np, e1 + n, (size_t)f->np * sizeof *cov);
    }
    if (!e) tell(f, cov, out);
    for (int i = 0; i < out->n; i++) ntold += out->value[i].told;
    if (!e && ntold == 0)
        e = qiao_diag_set(f->d, QIAO_E_INFEASIBLE, NULL, 0, 0,
                          "the data say nothing about '%s': move faster, or leave it out",
                          out->value[0].name);
    free(l), free(e1), free(cov);
    return e;
}

// What is left at each encoder of world 0, and where the world was. before: with the files' numbers.
static void look(const fit *f, bool after, qiao_ident_result *out) {
    int nj2 = 2 * f->nj;
    for (int j = 0; j < nj2 && f->nj <= QIAO_IDENT_JOINTS; j++) {
        bool speed = j >= f->nj;
        const double *x = speed ? f->def->qd : f->def->q;
        double *path = f->def->path[after][speed], sum = 0;
        int n = 0, jj = speed ? j - f->nj : j;
        for (int k = 0; k < f->def->n; k++) {
            double r = f->res[k * nj2 + j] + offset_of(f, j);
            if (path) path[k * f->nj + jj] = x[k * f->nj + jj] + r;
            if (!isnan(r)) sum += r * r, n++;
        }
        out->rms[after][speed][jj] = sqrt(sum / fmax(n, 1));
    }
}

static qiao_err choose(fit *f) {
    const qiao_ident_def *def = f->def;
    const char *names[KNOWN];
    for (int i = 0; i < KNOWN; i++) names[i] = known[i].name;
    if (def->nparam < 1 || def->nparam > KNOWN || def->n < 10)
        return qiao_diag_set(f->d, QIAO_E_ARG, NULL, 0, 0,
                             "%d parameters from %d rows; 1 to %d from 10 or more can be",
                             def->nparam, def->n, KNOWN);
    for (int p = 0; p < def->nparam; p++) {
        int k = 0;
        while (k < KNOWN && strcmp(def->param[p], names[k]) != 0) k++;
        if (k == KNOWN) {
            const char *near = qiao_nearest(def->param[p], names, KNOWN);
            return qiao_diag_set(f->d, QIAO_E_NAME, NULL, 0, 0, "no parameter '%s'%s%s%s",
                                 def->param[p], near ? "; did you mean '" : "", near ? near : "",
                                 near ? "'?" : "");
        }
        for (int i = 0; i < f->np; i++)
            if (f->which[i] == k)
                return qiao_diag_set(f->d, QIAO_E_ARG, NULL, 0, 0, "'%s' is asked for twice",
                                     names[k]);
        if (k == P_DELAY)
            f->with_delay = true;
        else
            f->which[f->np++] = k;
    }
    return QIAO_OK;
}

qiao_err qiao_identify(const qiao_ident_def *def, qiao_ident_result *out, qiao_diag *d) {
    qiao_diag own = {0};
    fit f = {.def = def, .d = d ? d : &own};
    *out = (qiao_ident_result){0};
    f.arena = qiao_arena_new();
    double best;
    qiao_err e = f.arena ? choose(&f) : QIAO_E_MEM;
    if (!e) e = make(&f);
    qiao_ident_value delay;
    if (!e) begin_at(&f), e = run_worlds(&f);
    if (!e) out->njoint = f.nj, look(&f, false, out);
    if (!e)
        e = f.with_delay ? fit_delay(&f, &out->iterations, &delay)
                         : fit_at(&f, 0, 3, &out->iterations, &best);
    if (!e) e = intervals(&f, out);
    if (!e) look(&f, true, out);
    if (!e && f.with_delay) out->value[out->n++] = delay;
    if (!e) out->noise_q = 1 / sqrt(f.weight_q), out->noise_qd = 1 / sqrt(f.weight_qd);
    if (e && !f.d->err) qiao_diag_set(f.d, e, NULL, 0, 0, "identification: %s", qiao_err_text(e));
    qiao_sim_free(f.sim);
    qiao_arena_free(f.arena);
    return e;
}
