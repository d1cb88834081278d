// SPDX-License-Identifier: Apache-2.0
// bench_lanes.c - engine lanes beside MuJoCo in one run: same model, same controls, one core each,
// turn and turn about; steps a second and the mean error of qacc against the converged optimum.
//   bench_lanes [NAME]        all robots at hand, or those of that name: MuJoCo at the file's own
//                             setting
//   bench_lanes --curve F     five settings each: F.csv and F.svg
//   bench_lanes --worlds      cost and memory a world from 1,000 to 100,000 worlds, 1 and 2 threads
// A ratio counts only where the error of lanes is no larger, or no larger than what the last bits of
// the state make of the optimum itself: else it stands in brackets. Below it: the same against
// MuJoCo with fewer Newton iterations, the most exact of those that are no more exact than lanes.
#include "lanes_curve.h"
#include "sim/lanes_ops.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct robot {
    const char *name, *path;
    double target; // of the ratio in 32 bit
} robots[] = {
    {"Go1 feet only, training setting",
     "mujoco_playground/_src/locomotion/go1/xmls/scene_mjx_feetonly_flat_terrain_nomesh.xml", 40},
    {"Go1 as shipped", "mujoco_menagerie/unitree_go1/go1_nomesh.xml", 30},
    {"Go2 as shipped", "mujoco_menagerie/unitree_go2/go2_nomesh.xml", 30},
    {"TRON1", "limx/PF_TRON1A/xml/robot_nomesh.xml", 30},
    {"G1", "mujoco_menagerie/unitree_g1/scene.xml", 15},
    {"Oli", "limx/HU_D04/xml/HU_D04_serial_nomesh.xml", 15},
    {"H1", "mujoco_menagerie/unitree_h1/scene.xml", 15},
    {"LEAP with cube", "mujoco_playground/_src/manipulation/leap_hand/xmls/scene_mjx_cube.xml", 10},
    {"Shadow hand", "mujoco_menagerie/shadow_hand/scene_right.xml", 10},
    {"Panda with cube", "mujoco_menagerie/franka_emika_panda/mjx_single_cube.xml", 20},
};
enum { NROBOT = sizeof robots / sizeof *robots, GROUPS = 8, ROUNDS = 9, STEPS = 5, LANES = 16 };
// every STEPS steps all controls are drawn anew, so that the robots move and the solvers work

static double now(void) { // of this thread alone
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_size);
    return x[n / 2];
}
static uint64_t seed;
static double random_one(void) { // -1 .. 1
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 4503599627370496.0 - 1;
}

// ---- a robot in both engines ----

typedef struct bench {
    qiao_model view;
    mjModel *m, *exact; // as the file says; converged
    mjData *d, *e;
    qi_lplan *plan;
    const qi_lanes_ops *op;
    qiao_arena *arena;
    void *model, *work, *group[GROUPS];
    double *q, *ctrl; // [GROUPS LANES][nq], where everybody begins; [ROUNDS][GROUPS LANES][nu]
} bench;

static mjModel *load(const char *path) {
    char err[500] = "";
    mjSpec *s = mj_parseXML(path, NULL, err, sizeof err);
    mjsBody *world = s ? mjs_findBody(s, "world") : NULL;
    if (world && !mjs_firstChild(world, mjOBJ_GEOM, 0)) { // no ground of its own
        mjsGeom *g = mjs_addGeom(world, NULL);
        g->type = mjGEOM_PLANE, g->size[0] = g->size[1] = 20, g->size[2] = 1;
    }
    mjModel *m = s ? mj_compile(s, NULL) : NULL;
    if (s) mj_deleteSpec(s);
    return m;
}

static double *control(const bench *b, int round, int w) {
    return b->ctrl + (round * GROUPS * LANES + w) * b->m->nu;
}
// A floating robot is let down until it touches the ground: standing is what robots do.
static void let_down(bench *b) {
    const mjModel *m = b->m;
    if (!m->njnt || m->jnt_type[0] != mjJNT_FREE) return;
    for (int k = 0; k < 2000; k++, b->d->qpos[2] -= 0.001) {
        mj_fwdPosition(m, b->d);
        for (int c = 0; c < b->d->ncon; c++) {
            const mjContact *at = &b->d->contact[c];
            if (at->dist < 0 &&
                (m->geom_bodyid[at->geom[0]] == 0 || m->geom_bodyid[at->geom[1]] == 0))
                return;
        }
    }
}
static void begin(bench *b) { // states and controls that both engines start from
    const mjModel *m = b->m;
    seed = 1;
    for (int w = 0; w < GROUPS * LANES; w++) {
        mj_resetData(m, b->d);
        if (m->nkey) mj_resetDataKeyframe(m, b->d, 0);
        int first = m->njnt && m->jnt_type[0] == mjJNT_FREE ? 7 : 0;
        for (int i = first; i < m->nq; i++) b->d->qpos[i] += 0.02 * random_one();
        for (int r = 0; r < ROUNDS; r++)
            for (int i = 0; i < m->nu; i++) {
                double u = b->d->ctrl[i] + 0.3 * random_one(),
                       *range = m->actuator_ctrlrange + 2 * i;
                if (m->actuator_ctrllimited[i]) u = fmin(fmax(u, range[0]), range[1]);
                control(b, r, w)[i] = u;
            }
        mj_normalizeQuat(m, b->d->qpos);
        let_down(b);
        memcpy(b->q + w * m->nq, b->d->qpos, (size_t)m->nq * sizeof(double));
    }
}
static void put_all(bench *b, int round) { // round 0: from the start
    for (int w = 0; w < GROUPS * LANES; w++) {
        int g = w / b->op->lanes, l = w % b->op->lanes;
        if (g >= GROUPS) break;
        if (round == 0) {
            b->op->put(b->model, b->group[g], l, b->q + w * b->m->nq, NULL);
            b->op->live(b->group[g], l, 1);
        }
        b->op->put_ctrl(b->model, b->group[g], l, control(b, round, w));
    }
}

static bool open_robot(bench *b, const char *path, char *why, size_t size) {
    *b = (bench){.m = load(path)};
    if (!b->m) {
        snprintf(why, size, "cannot be loaded");
        return false;
    }
    const mjModel *m = b->m;
    b->exact = mj_copyModel(NULL, m);
    mjOption *o = &b->exact->opt;
    o->solver = mjSOL_NEWTON, o->tolerance = 1e-13, o->iterations = o->ls_iterations = 200;
    b->d = mj_makeData(m), b->e = mj_makeData(m);
    b->view = (qiao_model){.nq = (int)m->nq, .nv = (int)m->nv, .nu = (int)m->nu};
    qiao_model *v = &b->view;
    v->nbody = (int)m->nbody, v->njnt = (int)m->njnt, v->nsite = (int)m->nsite;
    v->dt = m->opt.timestep, memcpy(v->gravity, m->opt.gravity, sizeof v->gravity);
    v->body_parent = m->body_parentid, v->body_jntadr = m->body_jntadr;
    v->body_jntnum = m->body_jntnum, v->body_pos = m->body_pos, v->body_quat = m->body_quat;
    v->body_mass = m->body_mass, v->body_ipos = m->body_ipos, v->body_iquat = m->body_iquat;
    v->body_inertia = m->body_inertia, v->jnt_type = m->jnt_type, v->jnt_body = m->jnt_bodyid;
    v->jnt_qadr = m->jnt_qposadr, v->jnt_vadr = m->jnt_dofadr, v->jnt_pos = m->jnt_pos;
    v->jnt_axis = m->jnt_axis, v->dof_armature = m->dof_armature, v->qref = v->q0 = m->qpos0;
    v->mj = m;
    qiao_diag d = {0};
    if (!(b->plan = qi_lplan_new(v, &d))) {
        snprintf(why, size, "%s", d.text);
        return false;
    }
    b->q = calloc((size_t)(GROUPS * LANES * m->nq), sizeof(double));
    b->ctrl = calloc((size_t)(ROUNDS * GROUPS * LANES * m->nu) + 1, sizeof(double));
    begin(b);
    return true;
}
static void use(bench *b, const qi_lanes_ops *op, int dual) {
    b->plan->dual = dual;
    b->op = op, b->arena = qiao_arena_new();
    b->model = op->model_new(b->plan, b->arena), b->work = op->work_new(b->model, b->arena);
    for (int g = 0; g < GROUPS; g++) {
        b->group[g] = aligned_alloc(64, (op->group_size(b->model) + 63) & ~(size_t)63);
        op->group_init(b->model, b->group[g]);
    }
}
static void drop(bench *b) {
    b->op->work_free(b->work);
    for (int g = 0; g < GROUPS; g++) free(b->group[g]);
    qiao_arena_free(b->arena);
}
static void close_robot(bench *b) {
    free(b->q), free(b->ctrl);
    qi_lplan_free(b->plan);
    mj_deleteData(b->d), mj_deleteData(b->e);
    mj_deleteModel(b->m), mj_deleteModel(b->exact);
}

// ---- what is measured ----

typedef struct result {
    double rate, error; // steps a second of this thread, mean relative error of qacc
    int broken;
} result;

static double apart(const bench *b, const double *qacc) { // from the optimum of e's state
    double e = 0, s = 1e-12;
    mj_forward(b->exact, b->e);
    for (int i = 0; i < b->m->nv; i++) {
        e += (qacc[i] - b->e->qacc[i]) * (qacc[i] - b->e->qacc[i]);
        s += b->e->qacc[i] * b->e->qacc[i];
    }
    return sqrt(e / s);
}

// How far the optimum itself moves when the state moves by its last bits: what an error below this
// says is rounding. Median of LANES states.
static double last_bit(bench *b) {
    double change[LANES], qacc[256];
    for (int w = 0; w < LANES; w++) {
        mj_resetData(b->m, b->d);
        memcpy(b->d->qpos, b->q + w * b->m->nq, (size_t)b->m->nq * sizeof(double));
        memcpy(b->d->ctrl, control(b, 0, w), (size_t)b->m->nu * sizeof(double));
        for (int s = 0; s < 4 * STEPS; s++) mj_step(b->m, b->d);
        mj_copyState(b->m, b->d, b->e, mjSTATE_FULLPHYSICS | mjSTATE_CTRL);
        mj_forward(b->exact, b->e);
        memcpy(qacc, b->e->qacc, (size_t)b->m->nv * sizeof(double));
        for (int i = 0; i < b->m->nq; i++) b->e->qpos[i] *= 1 + 0x1p-52 * random_one();
        for (int i = 0; i < b->m->nv; i++) b->e->qvel[i] *= 1 + 0x1p-52 * random_one();
        change[w] = apart(b, qacc);
    }
    return median(change, LANES);
}

static result run_mujoco(bench *b, int solver, int iterations) {
    mjModel *m = b->m;
    mjOption keep = m->opt;
    if (iterations) m->opt.iterations = iterations, m->opt.solver = solver;
    double rate[ROUNDS], spent[ROUNDS] = {0}, error = 0;
    int n = 0;
    for (int w = 0; w < 2 * LANES; w++) { // as many worlds, one after another
        mj_resetData(m, b->d);
        memcpy(b->d->qpos, b->q + w * m->nq, (size_t)m->nq * sizeof(double));
        for (int r = 0; r < ROUNDS; r++) {
            memcpy(b->d->ctrl, control(b, r, w), (size_t)m->nu * sizeof(double));
            double t0 = now();
            for (int s = 0; s < STEPS; s++) mj_step(m, b->d);
            spent[r] += now() - t0;
            if (w >= LANES) continue;
            mj_copyState(m, b->d, b->e, mjSTATE_FULLPHYSICS | mjSTATE_CTRL);
            mj_forward(m, b->d); // warm, as it is in the run
            error += apart(b, b->d->qacc), n++;
        }
    }
    for (int r = 0; r < ROUNDS; r++) rate[r] = 2 * LANES * STEPS / spent[r];
    m->opt = keep;
    return (result){median(rate, ROUNDS), error / n, b->d->warning[mjWARN_BADQACC].number};
}

static result run_lanes(bench *b, int iterations) {
    const qi_lanes_opt o = {.iterations = iterations};
    double rate[ROUNDS], error = 0, qacc[256];
    int n = 0, broken = 0;
    for (int r = 0; r < ROUNDS; r++) {
        put_all(b, r);
        double t0 = now();
        for (int g = 0; g < GROUPS; g++) b->op->step(b->model, b->work, b->group[g], STEPS, &o);
        rate[r] = GROUPS * b->op->lanes * STEPS / (now() - t0);
        for (int l = 0; l < b->op->lanes; l++, n++) {
            int w = l;
            b->op->get(b->model, b->group[0], l, b->e->qpos, b->e->qvel);
            memcpy(b->e->ctrl, control(b, r, w), (size_t)b->m->nu * sizeof(double));
            if (l == 0) b->op->forward(b->model, b->work, b->group[0], &o);
            b->op->ask(b->model, b->work, l, QI_LANES_QACC, qacc);
            error += apart(b, qacc);
        }
    }
    for (int g = 0; g < GROUPS; g++)
        for (int l = 0; l < b->op->lanes; l++) broken += b->op->broken(b->group[g], l);
    return (result){median(rate, ROUNDS), error / n, broken};
}

static const char *data(void) {
    const char *d = getenv("QIAO_DATA");
    return d ? d : "../shared/data";
}

// MuJoCo's settings from its first Newton iteration to the file's own.
enum { NPEER = 6 };
static const int peer_iterations[NPEER] = {1, 2, 3, 4, 6, 0};
// The most exact of them whose error is no smaller than that of lanes; -1: none.
static int peer_of(const double error[NPEER], double least) {
    int best = -1;
    for (int i = 0; i < NPEER; i++)
        if (error[i] >= least && (best < 0 || error[i] < error[best])) best = i;
    return best;
}

static void compare(const struct robot *r) {
    char path[1024], why[1024];
    bench b;
    snprintf(path, sizeof path, "%s/%s", data(), r->path);
    if (!open_robot(&b, path, why, sizeof why)) {
        printf("%-32s %s\n", r->name, why);
        return;
    }
    static const struct {
        int iterations, dual; // sweeps on the forces, or Newton's steps; 0: until converged
    } setting[] = {{1, 1}, {2, 1}, {3, 1}, {5, 1}, {1, 0}, {2, 0}, {3, 0}, {6, 0}, {0, 0}};
    enum { NSETTING = sizeof setting / sizeof *setting };
    result m = {0};
    double bit = last_bit(&b), error[NPEER];
    for (int i = 0; i < NPEER; i++) {
        m = run_mujoco(&b, mjSOL_NEWTON, peer_iterations[i]);
        error[i] = m.error;
    }
    printf("%-32s mujoco %9.0f/s, error %.1e; last bits %.1e; asked: %.0f times\n", r->name, m.rate,
           m.error, bit, r->target);
    for (int k = 0; k < qi_lanes_nall; k++) {
        const qi_lanes_ops *op = qi_lanes_all[k];
        if (!op->usable() || op->lanes < 4 || (op->lanes == 4 && op->real == QIAO_REAL_F32))
            continue;
        double best = 0, even = 0;
        char line[200] = "", below[200] = "";
        for (int s = 0; s < NSETTING; s++) { // the fastest that is as exact, else the most exact
            use(&b, op, setting[s].dual);
            result l = run_lanes(&b, setting[s].iterations);
            int peer = peer_of(error, l.error);
            result near = run_mujoco(&b, mjSOL_NEWTON, peer_iterations[peer < 0 ? 0 : peer]);
            m = run_mujoco(&b, 0, 0);
            drop(&b);
            if (peer >= 0 && l.rate / near.rate > even) {
                even = l.rate / near.rate;
                snprintf(below, sizeof below, "%.1f times at error %.1e (%s, %d) of mujoco's %.1e",
                         even, l.error, setting[s].dual ? "pgs" : "newton", setting[s].iterations,
                         error[peer]);
                snprintf(below + strlen(below), sizeof below - strlen(below),
                         peer_iterations[peer] ? " (newton, %d)" : " (the file's)",
                         peer_iterations[peer]);
            }
            bool counts = l.error <= fmax(m.error, bit), last = s == NSETTING - 1;
            if (!(counts && l.rate / m.rate > best) && !(last && best == 0)) continue;
            if (counts) best = l.rate / m.rate;
            snprintf(line, sizeof line, "%9.0f/s, error %.1e, %s%.1f%s times (%s, %d)", l.rate,
                     l.error, counts ? "" : "[", l.rate / m.rate, counts ? "" : "]",
                     setting[s].dual ? "pgs" : "newton", setting[s].iterations);
        }
        printf("  %-20s %s\n  %-20s %s\n", op->name, line, "", below);
    }
    close_robot(&b);
}

static int curve(const char *file) {
    char csv[1024], svg[1024], path[1024], why[1024];
    static const struct {
        int mujoco, lanes, dual; // iterations; sweeps on the forces
    } setting[CURVE_POINTS] = {{1, 1, 1}, {2, 2, 1}, {4, 5, 1}, {10, 3, 0}, {50, 0, 0}};
    static curve_panel panel[NROBOT];
    int n = 0;
    snprintf(csv, sizeof csv, "%s.csv", file), snprintf(svg, sizeof svg, "%s.svg", file);
    FILE *f = fopen(csv, "w");
    if (!f) return 2;
    fprintf(f, "robot,engine,iterations,steps_per_second,error\n");
    for (int i = 0; i < NROBOT; i++) {
        bench b;
        snprintf(path, sizeof path, "%s/%s", data(), robots[i].path);
        if (!open_robot(&b, path, why, sizeof why)) continue;
        curve_panel *p = &panel[n++];
        p->name = robots[i].name;
        for (int s = 0; s < CURVE_POINTS; s++) {
            use(&b, qi_lanes_best(QIAO_REAL_F32), setting[s].dual);
            result m = run_mujoco(&b, mjSOL_NEWTON, setting[s].mujoco);
            result l = run_lanes(&b, setting[s].lanes);
            p->rate[0][s] = m.rate, p->error[0][s] = m.error;
            p->rate[1][s] = l.rate, p->error[1][s] = l.error;
            fprintf(f, "%s,mujoco,%d,%.0f,%.3g\n", p->name, setting[s].mujoco, m.rate, m.error);
            fprintf(f, "%s,lanes %s,%d,%.0f,%.3g\n", p->name, setting[s].dual ? "pgs" : "newton",
                    setting[s].lanes, l.rate, l.error);
            drop(&b);
        }
        close_robot(&b);
    }
    return fclose(f) || !curve_svg(svg, panel, n) ? 2 : 0;
}

// ---- many worlds ----

typedef struct share {
    bench *b;
    void *work, **group;
    int from, to;
} share;
static void *step_share(void *arg) {
    const share *s = arg;
    const qi_lanes_opt o = {.iterations = 2};
    for (int g = s->from; g < s->to; g++) s->b->op->step(s->b->model, s->work, s->group[g], 10, &o);
    return NULL;
}
static int worlds(void) {
    char path[1024], why[1024];
    bench b;
    snprintf(path, sizeof path, "%s/%s", data(), robots[0].path);
    if (!open_robot(&b, path, why, sizeof why)) {
        printf("%s: %s\n", path, why);
        return 2;
    }
    use(&b, qi_lanes_best(QIAO_REAL_F32), 1); // two sweeps, see step_share
    size_t bytes = (b.op->group_size(b.model) + 63) & ~(size_t)63;
    void *two = b.op->work_new(b.model, b.arena);
    printf("%s, %s: %zu bytes a world\n", robots[0].name, b.op->name, bytes / (size_t)b.op->lanes);
    for (int n = 1000; n <= 100000; n *= 10) {
        int ng = (n + b.op->lanes - 1) / b.op->lanes;
        void **group = calloc((size_t)ng, sizeof *group);
        for (int g = 0; g < ng; g++) {
            group[g] = aligned_alloc(64, bytes);
            b.op->group_init(b.model, group[g]);
            for (int l = 0; l < b.op->lanes; l++) {
                int w = (g * b.op->lanes + l) % (GROUPS * LANES);
                b.op->put(b.model, group[g], l, b.q + w * b.m->nq, NULL);
                b.op->put_ctrl(b.model, group[g], l, control(&b, 0, w));
                b.op->live(group[g], l, 1);
            }
        }
        share s[2] = {{&b, b.work, group, 0, ng}, {&b, two, group, ng / 2, ng}};
        double one[5], both[5];
        for (int r = 0; r < 5; r++) {
            s[0].to = ng;
            double t0 = wall();
            step_share(&s[0]);
            one[r] = wall() - t0;
            pthread_t t;
            s[0].to = ng / 2, t0 = wall();
            pthread_create(&t, NULL, step_share, &s[1]);
            step_share(&s[0]);
            pthread_join(t, NULL);
            both[r] = wall() - t0;
        }
        double a = median(one, 5), c = median(both, 5);
        printf("%7d worlds: %.0f ns a step and world; %.2f million steps/s on one thread, %.2f on "
               "two (%.2f times)\n",
               n, a / n / 10 * 1e9, n * 10 / a * 1e-6, n * 10 / c * 1e-6, a / c);
        for (int g = 0; g < ng; g++) free(group[g]);
        free(group);
    }
    b.op->work_free(two);
    drop(&b), close_robot(&b);
    return 0;
}

// MuJoCo warns of the same step again and again, for every setting that is tried.
static void no_warning(const char *text) { (void)text; }

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    mju_user_warning = no_warning;
    if (argc > 2 && strcmp(argv[1], "--curve") == 0) return curve(argv[2]);
    if (argc > 1 && strcmp(argv[1], "--worlds") == 0) return worlds();
    printf("one core each; the makers' robots of %s\n", data());
    for (int i = 0; i < NROBOT; i++)
        if (argc < 2 || strstr(robots[i].name, argv[1])) compare(&robots[i]);
    return 0;
}
