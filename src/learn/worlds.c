// SPDX-License-Identifier: Apache-2.0
// worlds.c - see worlds.h: what a step is, and what a world that begins anew gets.
#include "learn/worlds_in.h"
#include "sim/cast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

double qi_worlds_draw(const qi_worlds *w, int i, uint64_t counter, uint32_t what) {
    qiao_rng r = {.seed = w->r->ppo.seed, .trial = (uint64_t)i, .purpose = RNG_WORLDS};
    return qiao_rng_uniform(&r, counter, what);
}
static double draw(const qi_worlds *w, int i, uint64_t counter, uint32_t what) {
    return qi_worlds_draw(w, i, counter, what);
}
static double within(qi_range g, double u) { return g.lo + (g.hi - g.lo) * u; }
static int steps_of(const qi_worlds *w, double seconds) {
    int n = (int)lround(seconds / w->period);
    return n < 1 ? 1 : n;
}

// ---- commands, pushes, numbers of a world ----

static void new_command(qi_worlds *w, int i) {
    one *o = &w->one[i];
    const qi_range range[3] = {w->r->vx, w->r->vy, w->r->yaw_rate};
    uint64_t n = o->drawn++;
    bool still = draw(w, i, n, 0) < w->r->still;
    for (int k = 0; k < 3; k++)
        o->command[k] = still ? 0 : w->share * within(range[k], draw(w, i, n, 1 + (uint32_t)k));
    o->command_left = steps_of(w, within(w->r->command_seconds, draw(w, i, n, 4)));
    if (w->sig_command >= 0) qiao_sim_signal(w->sim, i, w->sig_command, o->command);
}

// A push is a level force for a tenth of a second, as strong as the speed that it gives asks for.
static void push_on(qi_worlds *w, int i) {
    one *o = &w->one[i];
    static const double none[3] = {0};
    if (w->r->push_speed <= 0) return;
    if (o->push_left > 0 && --o->push_left == 0) qiao_sim_push(w->sim, i, w->base, none, none);
    if (--o->push_wait > 0) return;
    uint64_t n = o->drawn++;
    double a = 6.283185307179586 * draw(w, i, n, 0), s = draw(w, i, n, 1) * w->share;
    o->push_left = steps_of(w, 0.1),
    o->push_wait = steps_of(w, within(w->r->push_seconds, draw(w, i, n, 2)));
    double f = w->mass * w->r->push_speed * s / (o->push_left * w->period);
    double force[3] = {f * cos(a), f * sin(a), 0};
    qiao_sim_push(w->sim, i, w->base, force, none);
}

static void vary(qi_worlds *w, int i) {
    one *o = &w->one[i];
    const qi_vary *v = &w->r->vary;
    o->kp = o->kd = 1;
    if (!v->any) return;
    uint64_t n = o->drawn++;
    uint32_t k = 0;
    qiao_vary x = qiao_vary_default();
    x.friction = within(v->friction, draw(w, i, n, k++)),
    x.mass = within(v->mass, draw(w, i, n, k++));
    x.payload = within(v->payload, draw(w, i, n, k++));
    for (int j = 0; j < 3; j++) x.com[j] = within(v->com, draw(w, i, n, k++));
    x.damping = within(v->damping, draw(w, i, n, k++));
    x.armature = within(v->armature, draw(w, i, n, k++));
    x.frictionloss = within(v->frictionloss, draw(w, i, n, k++));
    x.torque = within(v->torque, draw(w, i, n, k++));
    x.delay = within(v->delay, draw(w, i, n, k++));
    x.things = within(v->object_mass, draw(w, i, n, 200));
    o->kp = within(v->kp, draw(w, i, n, k++)), o->kd = within(v->kd, draw(w, i, n, k++));
    if (qiao_sim_vary(w->sim, i, &x, NULL)) __atomic_fetch_add(&w->nrefused, 1, __ATOMIC_RELAXED);
}

// Somewhere near rest: joints, and velocities of the base; the object.
static void start_pose(qi_worlds *w, int i) {
    if (w->r->start_joint <= 0 && w->r->start_speed <= 0 && !w->r->rise.by && !w->r->object.name &&
        !w->motion.nframe)
        return;
    const qiao_model *m = w->model[w->one[i].on];
    double q[QI_JOINTS_MAX * 2 + 64], qd[QI_JOINTS_MAX * 2 + 64] = {0};
    if (m->nq > (int)(sizeof q / sizeof *q) || m->nv > (int)(sizeof qd / sizeof *qd)) return;
    memcpy(q, m->q0, (size_t)m->nq * sizeof *q);
    uint64_t n = w->one[i].drawn++;
    for (int j = 0; j < w->njoint; j++) {
        double x = q[w->qadr[j]] + w->r->start_joint * (2 * draw(w, i, n, (uint32_t)j) - 1);
        if (w->low[j] < w->high[j]) x = fmin(fmax(x, w->low[j]), w->high[j]);
        q[w->qadr[j]] = x;
    }
    for (int k = 0; k < 6 && w->free_vadr >= 0; k++)
        qd[w->free_vadr + k] = w->r->start_speed * (2 * draw(w, i, n, 100 + (uint32_t)k) - 1);
    if (w->r->rise.by) qi_ground_place(w, i, q);
    if (w->r->object.name) qi_object_start(w, i, q);
    if (w->motion.nframe) qi_follow_start(w, i, draw(w, i, n, 200), q, qd);
    qiao_sim_set(w->sim, i, q, qd);
}

static void begin_one(qi_worlds *w, int i) {
    one *o = &w->one[i];
    static const double none[3] = {0};
    if (w->floats) qiao_sim_push(w->sim, i, w->base, none, none);
    bool other = qi_ground_choose(w, i);
    if (o->episode++ % (uint64_t)w->r->vary.episodes == 0 || other) vary(w, i);
    qiao_sim_reset(w->sim, i, w->r->ppo.seed, w->epoch << 40 | (uint64_t)i << 20 | o->episode);
    start_pose(w, i);
    new_command(w, i);
    o->age = 0, o->push_left = 0;
    o->push_wait = steps_of(w, within(w->r->push_seconds, draw(w, i, o->drawn++, 0)));
    o->past = (qi_past){.fresh = true};
    memset(o->a, 0, sizeof o->a);
    qi_policy_reset(w->mind, i);
    if (w->motion.nframe) qi_policy_start(w->mind, i, o->frame);
    if (w->teacher.nbrain) qi_teacher_reset(&w->teacher, i, w->r->ppo.seed + o->episode);
    qiao_sim_observe_world(w->sim, i);
    if (w->r->goal.kind) qi_object_goal(w, i);
}

static void begin(void *ctx, uint64_t epoch) {
    qi_worlds *w = ctx;
    w->epoch = epoch;
    for (int i = 0; i < w->env.n; i++) {
        one *o = &w->one[i];
        *o = (one){.drawn = epoch << 32, .level = o->level, .on = o->on};
        begin_one(w, i);
        // ages spread, so that episodes do not all end in the same step
        o->age = (int)(draw(w, i, o->drawn++, 0) * w->episode);
    }
}

// ---- a step ----

static void look(qi_worlds *w, int i, qi_look *o) {
    const qiao_obs *obs = qiao_sim_obs(w->sim);
    const double *x = obs->x + (size_t)i * (size_t)obs->nobs;
    one *me = &w->one[i];
    *o = (qi_look){.njoint = w->njoint,
                   .nact = w->env.nact,
                   .nfoot = w->nfoot,
                   .dt = w->period,
                   .pose = w->floats ? x + w->adr[TRUE_POSE] : NULL,
                   .vel = w->floats ? x + w->adr[TRUE_VEL] : NULL,
                   .gyro = w->floats ? x + w->adr[TRUE_GYRO] : NULL,
                   .rest = w->rest,
                   .low = w->low,
                   .high = w->high,
                   .contact = w->nfoot ? x + w->adr[TRUE_CONTACT] : NULL,
                   .command = me->command,
                   .a0 = me->a[0],
                   .a1 = me->a[1],
                   .a2 = me->a[2]};
    double *q = w->scratch + (size_t)i * 3 * QI_JOINTS_MAX, *qd = q + QI_JOINTS_MAX,
           *tau = qd + QI_JOINTS_MAX;
    for (int j = 0; j < w->njoint; j++) {
        q[j] = x[w->adr[TRUE_POS] + w->at_joint[j]], qd[j] = x[w->adr[TRUE_SPEED] + w->at_joint[j]];
        tau[j] = w->at_act[j] >= 0 ? x[w->adr[TRUE_TAU] + w->at_act[j]] : 0;
    }
    o->q = q, o->qd = qd, o->tau = tau, o->target = qi_follow_target(w, i);
    if (w->floats) o->ground = o->pose[2] + qi_ground_below(w, x);
    qi_policy_phases(w->mind, i, w->nfoot, o->phase);
    for (int f = 0; f < w->nfoot; f++) {
        qi_worlds_site(x + w->adr[TRUE_FEET] + 7 * f, w->foot_at[f], o->foot[f]);
        o->floor[f] = qi_ground_foot(w, x, o, f);
    }
    if (w->r->object.name) qi_object_look(w, i, x, o);
}

void qi_worlds_site(const double pose[7], const double s[3], double out[3]) {
    const double *p = pose, *b = p + 3;
    double t[3] = {2 * (b[2] * s[2] - b[3] * s[1]), 2 * (b[3] * s[0] - b[1] * s[2]),
                   2 * (b[1] * s[1] - b[2] * s[0])};
    out[0] = p[0] + s[0] + b[0] * t[0] + b[2] * t[2] - b[3] * t[1];
    out[1] = p[1] + s[1] + b[0] * t[1] + b[3] * t[0] - b[1] * t[2];
    out[2] = p[2] + s[2] + b[0] * t[2] + b[1] * t[1] - b[2] * t[0];
}

static bool fallen(const qi_worlds *w, const qi_look *o) {
    if (w->r->object.name && qi_object_lost(w, o)) return true;
    if (!w->floats) return false;
    const double *b = o->pose + 3;
    double up = 1 - 2 * (b[1] * b[1] + b[2] * b[2]);
    return !(up > w->cos_tilt) || !(o->pose[2] - o->ground > w->r->end_height);
}

// Worth of the step for worlds from .. to - 1, and which are over.
static void judge(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    (void)thread;
    for (int i = from; i < to; i++) {
        one *me = &w->one[i];
        qi_look o;
        look(w, i, &o);
        bool broken = qiao_sim_status(w->sim, i) != QIAO_OK;
        o.ended = broken || fallen(w, &o) || qi_follow_lost(w, &o);
        double r = broken ? 0 : qi_reward_step(w->r, &o, &me->past, me->term);
        if (!(fabs(r) < 1e6)) r = 0, o.ended = true;
        w->reward[i] = (float)r;
        bool left = qi_ground_walk(w, i, &o);
        w->over[i] = o.ended ? 1 : ++me->age >= w->episode || left || qi_follow_over(w, i) ? 2 : 0;
        if (w->floats) {
            double ex = o.command[0] - o.vel[0], ey = o.command[1] - o.vel[1];
            me->speed_error += sqrt(ex * ex + ey * ey),
                me->turn_error += fabs(o.command[2] - o.gyro[2]);
        }
        if (w->r->object.name) me->goal_due = qi_object_after(w, i, &o);
        me->looked++;
        for (int k = 0; k < w->r->nreward; k++) me->sum[k] += me->term[k];
    }
}

// What the teacher would do now, as the student would have to say it.
static void teacher_says(void *ctx, float *action, uint8_t *knows) {
    qi_worlds *w = ctx;
    int ld = qi_mlp_pad(w->env.nact);
    const qiao_obs *obs = qiao_sim_obs(w->sim);
    qi_teacher_step(&w->teacher, w->pool, obs);
    w->asked = true;
    for (int i = 0; i < w->env.n; i++) {
        const double *x = obs->x + (size_t)i * (size_t)obs->nobs;
        double q[QI_JOINTS_MAX], qd[QI_JOINTS_MAX];
        for (int j = 0; j < w->njoint; j++)
            q[j] = x[w->adr[TRUE_POS] + w->at_joint[j]],
            qd[j] = x[w->adr[TRUE_SPEED] + w->at_joint[j]];
        bool can =
            qi_policy_ask(w->mind, obs, i, q, qd, &w->teacher.cmd, action + (size_t)i * (size_t)ld);
        knows[i] = can && qi_teacher_knows(&w->teacher, i);
    }
}

// One control step of physics. A teacher that was asked sees all of it, at its own rate.
static void move_on(qi_worlds *w) {
    int each = w->asked ? w->teacher.each : 1;
    for (int k = 0; k < each; k++) {
        if (k > 0) {
            qi_teacher_step(&w->teacher, w->pool, qiao_sim_obs(w->sim));
            for (int i = 0; i < w->env.n; i++) qi_teacher_did(&w->teacher, i, &w->cmd);
        }
        qiao_sim_step(w->sim, w->nstep / each);
        qiao_sim_observe(w->sim);
    }
    w->asked = false;
}

// Actions become commands, for units from .. to - 1.
static void act(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    (void)thread;
    int ld = qi_mlp_pad(w->env.nact), nact = w->env.nact, first = w->unit[from], end = w->unit[to];
    for (int i = first; i < end; i++) {
        one *o = &w->one[i];
        memmove(o->a[1], o->a[0], 2 * sizeof o->a[0]);
        memcpy(o->a[0], w->action + (size_t)i * (size_t)ld, (size_t)nact * sizeof(float));
        memcpy(w->said + (size_t)i * (size_t)nact, o->a[0], (size_t)nact * sizeof(float));
        push_on(w, i);
        o->frame += w->motion.nframe > 0;
    }
    if (w->apart)
        qi_policy_say_part(w->mind, qiao_sim_obs(w->sim), w->said, &w->cmd, first, end);
    else
        qi_policy_say(w->mind, qiao_sim_obs(w->sim), w->said, &w->cmd);
    for (int i = first; i < end; i++) {
        if (w->asked) qi_teacher_did(&w->teacher, i, &w->cmd);
        for (int j = 0; j < w->cmd.nu; j++) {
            size_t k = (size_t)i * (size_t)w->cmd.nu + (size_t)j;
            if (w->cmd.kp[k] > 0) w->cmd.kp[k] *= w->one[i].kp;
            if (w->cmd.kd[k] > 0) w->cmd.kd[k] *= w->one[i].kd;
        }
        qiao_sim_command_world(w->sim, i, &w->cmd, i);
    }
}

// Worlds begin anew or are told something else.
static void renew(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    (void)thread;
    for (int i = w->unit[from]; i < w->unit[to]; i++) {
        if (w->over[i])
            qi_ground_over(w, i, w->over[i] == 1), begin_one(w, i);
        else if (w->one[i].goal_due) {
            qi_object_goal(w, i);
        } else if (--w->one[i].command_left <= 0 && w->sig_command >= 0) {
            new_command(w, i);
            qiao_sim_observe_world(w->sim, i);
        }
    }
}

static void go_on(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    judge(w, thread, w->unit[from], w->unit[to]);
    renew(w, thread, from, to);
}

// A whole step, unit by unit: what a world is stays near the processor.
static void live(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    for (int u = from; u < to; u++) {
        act(w, thread, u, u + 1);
        qi_sim_move(w->sim, u, w->nstep, thread);
        go_on(w, thread, u, u + 1);
    }
}

static void share_out(qi_worlds *w, bool may, int n,
                      void (*work)(void *ctx, int thread, int from, int to)) {
    if (may)
        qi_pool_run(w->pool, n, work, w);
    else
        work(w, 0, 0, n);
}

static void step(void *ctx, const float *action, float *reward, uint8_t *over) {
    qi_worlds *w = ctx;
    w->action = action, w->reward = reward, w->over = over;
    if (w->apart && w->teacher.nbrain == 0) {
        qi_pool_run(w->pool, w->nunit, live, w);
        return;
    }
    share_out(w, w->apart, w->nunit, act);
    move_on(w);
    if (w->teacher.nbrain == 0) {
        qi_pool_run(w->pool, w->nunit, go_on, w);
    } else { // brains begin anew one after the other
        qi_pool_run(w->pool, w->env.n, judge, w);
        renew(w, 0, 0, w->nunit);
    }
}

static void critic_row(const qi_worlds *w, int i, float *c) {
    const qiao_obs *obs = qiao_sim_obs(w->sim);
    const double *x = obs->x + (size_t)i * (size_t)obs->nobs;
    if (w->r->critic_velocity)
        for (int k = 0; k < 3; k++) *c++ = (float)x[w->adr[TRUE_VEL] + k];
    if (w->r->critic_contact)
        for (int k = 0; k < w->nfoot; k++) *c++ = (float)x[w->adr[TRUE_CONTACT] + k];
    if (w->r->critic_height)
        for (int k = 0; k < w->nscan; k++) *c++ = (float)-x[w->adr[TRUE_GROUND] + k];
    if (w->r->critic_joints)
        for (int j = 0; j < w->njoint; j++) *c++ = (float)x[w->adr[TRUE_SPEED] + w->at_joint[j]];
    qi_object_critic(w, i, x, c);
}

static void see(void *ctx, int thread, int from, int to) {
    qi_worlds *w = ctx;
    (void)thread;
    int lda = qi_mlp_pad(w->env.nobs), ldc = qi_mlp_pad(w->env.ncritic);
    const float *in;
    if (w->apart) {
        in = qi_policy_see_part(w->mind, qiao_sim_obs(w->sim), from, to);
    } else {
        int due = qi_policy_see(w->mind, qiao_sim_obs(w->sim), &in);
        assert(due == w->env.n); // every world decides at every step
        (void)due;
    }
    for (int i = from; i < to; i++) {
        const float *row = in + (size_t)i * (size_t)w->env.nobs;
        size_t bytes = (size_t)w->env.nobs * sizeof *row;
        float *c = w->critic + (size_t)i * (size_t)ldc;
        memcpy(w->actor + (size_t)i * (size_t)lda, row, bytes), memcpy(c, row, bytes);
        critic_row(w, i, c + w->env.nobs);
    }
}

static void observe(void *ctx, float *actor, float *critic) {
    qi_worlds *w = ctx;
    w->actor = actor, w->critic = critic;
    share_out(w, w->apart, w->env.n, see);
}

void qi_worlds_hooks(qi_worlds *w) {
    w->teach = (qi_teach){w, teacher_says};
    w->unit = qi_sim_units(w->sim, &w->nunit);
    w->apart = qi_policy_apart(w->mind);
    w->env.begin = begin, w->env.observe = observe, w->env.step = step, w->env.ctx = w;
}

void qi_worlds_grow(qi_worlds *w, double steps) {
    double g = w->r->grow_from + (1 - w->r->grow_from) * steps / w->r->grow_steps;
    w->share = g > 1 ? 1 : g;
    w->tolerance =
        w->r->goal.tolerance.hi + (w->r->goal.tolerance.lo - w->r->goal.tolerance.hi) * w->share;
}

double qi_worlds_share(const qi_worlds *w) { return w->share; }

void qi_worlds_stats_take(qi_worlds *w, qi_worlds_stats *s) {
    double n = 0;
    *s = (qi_worlds_stats){0};
    for (int i = 0; i < w->env.n; i++) {
        one *o = &w->one[i];
        for (int k = 0; k < w->r->nreward; k++) s->term[k] += o->sum[k], o->sum[k] = 0;
        if (w->r->rise.by) s->ground += (o->level + 1.0) / w->r->rise.levels / w->env.n;
        s->speed_error += o->speed_error, s->turn_error += o->turn_error, n += (double)o->looked;
        s->goals += (double)o->reached, s->goal_error += o->off_sum;
        o->reached = 0, o->off_sum = 0;
        o->speed_error = o->turn_error = 0, o->looked = 0;
    }
    for (int k = 0; k < w->r->nreward && n > 0; k++) s->term[k] /= n;
    if (n > 0) s->speed_error /= n, s->turn_error /= n, s->goal_error /= n;
    if (n > 0) s->goals /= n * w->period / 60;
}
