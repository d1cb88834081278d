// SPDX-License-Identifier: Apache-2.0
// worlds_open.c - sets up worlds.h: robot, ground, signals, the brain's eyes and hands, the mirror.
#include "learn/onnx_write.h"
#include "learn/worlds_in.h"
#include "model/sensors.h"
#include "sim/cast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    qiao_sensor_kind kind;
} true_signal[TRUE_SIGNALS] = {
    [TRUE_POSE] = {"true_pose", QIAO_SENSE_BASE_POSE},
    [TRUE_VEL] = {"true_vel", QIAO_SENSE_BASE_VEL},
    [TRUE_GYRO] = {"true_gyro", QIAO_SENSE_IMU_GYRO},
    [TRUE_POS] = {"true_joint_pos", QIAO_SENSE_JOINT_POS},
    [TRUE_SPEED] = {"true_joint_vel", QIAO_SENSE_JOINT_VEL},
    [TRUE_TAU] = {"true_joint_tau", QIAO_SENSE_JOINT_TAU},
    [TRUE_CONTACT] = {"true_contact", QIAO_SENSE_FOOT_CONTACT},
    [TRUE_FEET] = {"true_feet", QIAO_SENSE_BODY_POSE},
    [TRUE_GROUND] = {"true_ground", QIAO_SENSE_HEIGHT_SCAN},
    [TRUE_OBJECT] = {"true_object", QIAO_SENSE_BODY_POSE},
    [TRUE_SITES] = {"true_sites", QIAO_SENSE_BODY_POSE},
};

static bool nothing(qi_worlds *w, qiao_diag *d) {
    (void)w;
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return false;
}

// Draws of the scenario: each a world with the robot on another ground.
static bool make_grounds(qi_worlds *w, qiao_diag *d) {
    const qi_recipe *r = w->r;
    w->cas = qiao_arena_get(w->arena, (size_t)r->grounds * sizeof *w->cas);
    w->model = qiao_arena_get(w->arena, (size_t)r->grounds * sizeof *w->model);
    if (!w->cas || !w->model) return nothing(w, d);
    for (int i = 0; i < r->grounds; i++) {
        double pos[3], yaw;
        w->cas[i] = r->rise.by ? qi_ground_case(w, i, d)
                               : qiao_case_new(w->scenario, w->robot, r->ppo.seed, (uint64_t)i, d);
        if (!w->cas[i]) return false;
        qiao_case_place(w->cas[i], pos, &yaw);
        w->model[i] = qiao_model_world(w->robot, qiao_case_scene(w->cas[i]), pos, yaw, d);
        if (!w->model[i]) return false;
    }
    return true;
}

// Whether the brain, or the operator's wish, needs a signal.
static bool needed(const qi_worlds *w, const qiao_sensor *s) {
    if (s->kind == QIAO_SENSE_COMMAND) return true;
    for (int i = 0; i < w->policy->nneed; i++)
        if (strcmp(w->policy->need[i], s->name) == 0) return true;
    return qi_teacher_needs(&w->teacher, s->name);
}

// What a teacher needs and neither robot nor scenario gives is granted to it, and is true.
static int grant_teacher(const qi_worlds *w, int ng, qiao_sensor *grant) {
    const char *const *need = qi_teacher_need(&w->teacher);
    for (int k = 0; need && need[k] && ng < TEACHER_GRANTS; k++) {
        bool have = qi_sensor_kind(need[k]) < 0; // no kind is called so: the binding will say it
        for (int i = 0; i < w->bare.nsensor; i++)
            have |= strcmp(w->bare.sensor[i].name, need[k]) == 0;
        for (int i = 0; i < ng; i++) have |= strcmp(grant[i].name, need[k]) == 0;
        if (!have)
            grant[ng++] =
                (qiao_sensor){.kind = (qiao_sensor_kind)qi_sensor_kind(need[k]), .name = need[k]};
    }
    return ng;
}

// The robot with only those of its sensors that the brain reads: the others cost time.
static bool fewer_sensors(qi_worlds *w) {
    const qiao_robot *r = w->robot;
    qiao_sensor *s = qiao_arena_get(w->arena, (size_t)(r->nsensor + 1) * sizeof *s);
    if (!s) return false;
    w->bare = *r, w->bare.sensor = s, w->bare.nsensor = 0;
    for (int i = 0; i < r->nsensor; i++)
        if (needed(w, &r->sensor[i])) s[w->bare.nsensor++] = r->sensor[i];
    return true;
}

// Whether this robot in this recipe has a true signal.
static bool has(const qi_worlds *w, int k) {
    switch (k) {
    case TRUE_POSE:
    case TRUE_VEL:
    case TRUE_GYRO:
    case TRUE_GROUND: return w->floats;
    case TRUE_CONTACT:
    case TRUE_FEET: return w->nfoot > 0;
    case TRUE_OBJECT: return w->r->object.name != NULL;
    case TRUE_SITES: return w->nsite > 0;
    default: return true;
    }
}

static bool make_sim(qi_worlds *w, qiao_diag *d) {
    const qi_recipe *r = w->r;
    const qiao_model *m = w->model[0];
    const qiao_sensor *given;
    int n = qiao_case_grants(w->cas[0], &given), ng = 0;
    qiao_sensor *grant =
        qiao_arena_get(w->arena, (size_t)(n + TEACHER_GRANTS + TRUE_SIGNALS) * sizeof *grant);
    const char **foot = qiao_arena_get(w->arena, (QI_FEET_MAX + 1) * sizeof *foot);
    const char **at = qiao_arena_get(w->arena, (QI_TIPS_MAX + 2) * sizeof *at);
    const qiao_model **world = qiao_arena_get(w->arena, (size_t)r->worlds * sizeof *world);
    if (!grant || !foot || !at || !world || !fewer_sensors(w)) return nothing(w, d);
    if (!qi_object_sites(w, at, d)) return false;
    for (int i = 0; i < n; i++)
        if (needed(w, &given[i])) grant[ng++] = given[i];
    ng = grant_teacher(w, ng, grant);
    w->nfoot = w->robot->nfoot < QI_FEET_MAX ? w->robot->nfoot : QI_FEET_MAX;
    for (int f = 0; f < w->nfoot; f++) {
        int site = w->robot->foot_site[f];
        foot[f] = w->robot->model->body_name[w->robot->model->site_body[site]];
        memcpy(w->foot_at[f], w->robot->model->site_pos + 3 * site, sizeof w->foot_at[f]);
    }
    for (int k = 0; k < TRUE_SIGNALS; k++) {
        if (!has(w, k)) continue;
        qiao_sensor *s = &grant[ng++];
        *s = (qiao_sensor){.kind = true_signal[k].kind, .name = true_signal[k].name};
        if (k == TRUE_FEET) s->element = foot, s->nname = w->nfoot;
        if (k == TRUE_OBJECT) s->element = &w->r->object.name, s->nname = 1;
        if (k == TRUE_SITES) s->element = at, s->nname = w->nsite;
        if (k == TRUE_GROUND) qi_ground_scan(w, s);
    }
    for (int i = 0; i < r->worlds; i++) world[i] = w->model[i % r->grounds];
    double steps = w->period / m->dt;
    w->nstep = (int)lround(steps);
    if (w->nstep < 1 || fabs(steps - w->nstep) > 1e-6 * steps) {
        qiao_diag_set(d, QIAO_E_FIT, w->manifest->file, 0, 0,
                      "a brain of %g Hz does not fit physics of %g Hz", 1 / w->period, 1 / m->dt);
        return false;
    }
    qiao_sim_def sd = qiao_sim_def_default();
    bool reference = strcmp(r->engine, "mujoco") == 0; // takes its iterations from the file
    sd.engine = r->engine, sd.nworld = r->worlds, sd.nthread = qi_pool_threads(w->pool);
    sd.robot = &w->bare, sd.world = world, sd.ngrant = ng, sd.grant = grant, sd.period = w->period;
    sd.iterations = reference ? 0 : r->iterations;
    if (!(w->sim = qiao_sim_new(&sd, d))) return false;
    // nobody asks for truths or peaks
    uint8_t *body = qiao_arena_get(w->arena, (size_t)m->nbody);
    for (int i = 0; body && i < r->worlds; i++)
        qi_sim_narrow(w->sim, i, &(qi_narrow){.body = body});
    return body ? true : nothing(w, d);
}

static const qiao_signal *signal_named(const qiao_io *io, const char *name) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0) return &io->sig[i];
    return NULL;
}
static int place_of(const char *name, const char *const *in, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(in[i], name) == 0) return i;
    return -1;
}

// Where the policy's joints are in signals, drives and coordinates.
static bool bind_joints(qi_worlds *w, qiao_diag *d) {
    const qiao_io *io = qiao_sim_io(w->sim);
    const qi_manifest *mf = w->manifest;
    const qiao_model *m = w->model[0], *rm = w->robot->model;
    const qiao_signal *pos = signal_named(io, "true_joint_pos");
    w->njoint = mf->njoint;
    if (w->njoint > QI_JOINTS_MAX) {
        qiao_diag_set(d, QIAO_E_LIMIT, mf->file, 0, 0, "%d joints; %d can be trained", w->njoint,
                      QI_JOINTS_MAX);
        return false;
    }
    for (int j = 0; j < w->njoint; j++) {
        int k = place_of(mf->joint[j], pos->element, pos->nname),
            q = qiao_model_joint(m, mf->joint[j]);
        if (k < 0 || q < 0) {
            const char *near = qiao_nearest(mf->joint[j], pos->element, pos->nname);
            qi_manifest_fault(mf, mf->joint_at[j], QIAO_E_NAME, d,
                              "the robot has no joint '%s'%s%s", mf->joint[j],
                              near ? "; the nearest is " : "", near ? near : "");
            return false;
        }
        w->at_joint[j] = k, w->qadr[j] = m->jnt_qadr[q], w->at_act[j] = -1;
        w->low[j] = m->jnt_range[2 * q], w->high[j] = m->jnt_range[2 * q + 1];
        w->rest[j] = mf->default_pose[j];
        int own = qiao_model_joint(rm, mf->joint[j]);
        w->vadr[j] = m->jnt_vadr[q],
        w->rest_of[j] = own >= 0 ? w->robot->rest_q[rm->jnt_qadr[own]] : 0;
        for (int u = 0; u < rm->nu; u++)
            if (rm->act_joint[u] == own) w->at_act[j] = u;
    }
    return true;
}

// Rewards and critic ask for nothing that this robot does not have.
static bool all_there(const qi_worlds *w, qiao_diag *d) {
    const qi_recipe *r = w->r;
    qi_has got = {w->floats,
                  w->nfoot > 0,
                  w->sig_command >= 0,
                  r->object.name != NULL,
                  r->object.ntip > 0,
                  r->goal.kind == QI_AIM_ORIENTATION,
                  r->goal.kind == QI_AIM_PLACE};
    for (int i = 0; i < r->nreward; i++) {
        const char *lack = qi_reward_lacks(r->reward[i].kind, &got);
        if (!lack) continue;
        qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "reward '%s' needs %s",
                      qi_reward_name[r->reward[i].kind], lack);
        return false;
    }
    const char *what = (r->critic_velocity || r->critic_height) && !got.base ? "a free base"
                       : r->critic_contact && !got.feet && !got.base         ? "feet"
                       : (r->critic_object || r->critic_tips) && !got.object ? "an object"
                       : r->critic_tips && !got.tips    ? "object: {tips: [..]}"
                       : r->push_speed > 0 && !got.base ? "a free base to push"
                                                        : NULL;
    if (!what) return true;
    qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "critic or push needs %s, which is not there",
                  what);
    return false;
}

static bool bind_signals(qi_worlds *w, qiao_diag *d) {
    const qiao_io *io = qiao_sim_io(w->sim);
    for (int k = 0; k < TRUE_SIGNALS; k++) {
        const qiao_signal *s = signal_named(io, true_signal[k].name);
        if (s) w->adr[k] = s->adr;
    }
    const qiao_signal *c = signal_named(io, "command_velocity");
    if (!c && w->floats) {
        qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0,
                      "scenario '%s' has no operator, so nothing says command_velocity",
                      w->r->scenario);
        return false;
    }
    w->sig_command = c ? (int)(c - io->sig) : -1;
    for (int i = 0; i < w->r->nreward; i++) {
        qi_reward_kind k = w->r->reward[i].kind;
        bool clock = k == QI_REWARD_gait || k == QI_REWARD_swing;
        if (!clock || (w->manifest->clock.hz > 0 && w->manifest->clock.nleg == w->nfoot)) continue;
        qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0,
                      "reward '%s' needs a brain whose clock has a leg for each of the %d feet",
                      qi_reward_name[k], w->nfoot);
        return false;
    }
    const qiao_model *m = w->model[0];
    qiao_part part;
    if (qiao_model_part(m, w->robot, w->arena, &part, d)) return false;
    w->base = part.body[w->robot->base], w->mass = qiao_model_mass(w->robot->model);
    int j = m->body_jntadr[w->base];
    w->free_qadr = j >= 0 && m->jnt_type[j] == QIAO_JOINT_FREE ? m->jnt_qadr[j] : -1;
    const qiao_model *own = w->robot->model;
    int top = own->body_jntadr[w->robot->base];
    w->rest_z = top >= 0 && own->jnt_type[top] == QIAO_JOINT_FREE
                    ? w->robot->rest_q[own->jnt_qadr[top] + 2]
                    : 0;
    w->free_vadr = j >= 0 && m->jnt_type[j] == QIAO_JOINT_FREE ? m->jnt_vadr[j] : -1;
    if (!bind_joints(w, d) || !qi_object_bind(w, d)) return false;
    return all_there(w, d);
}

// ---- the other hand ----

typedef struct mirror {
    int joint[QI_JOINTS_MAX];
    float sign[QI_JOINTS_MAX];
} mirror;

static bool pair_joints(const qi_worlds *w, mirror *m, qiao_diag *d) {
    const qi_recipe *r = w->r;
    const qi_manifest *mf = w->manifest;
    for (int j = 0; j < w->njoint; j++) m->joint[j] = -1;
    for (int i = 0; i < r->npair; i++) {
        int a = qi_manifest_joint(mf, r->pair[i].left), b = qi_manifest_joint(mf, r->pair[i].right);
        if (a < 0 || b < 0) {
            qiao_diag_set(d, QIAO_E_NAME, r->path, 0, 0, "mirror: the brain has no joint '%s'",
                          a < 0 ? r->pair[i].left : r->pair[i].right);
            return false;
        }
        m->joint[a] = b, m->joint[b] = a, m->sign[a] = m->sign[b] = (float)r->pair[i].sign;
    }
    for (int j = 0; j < w->njoint; j++)
        if (m->joint[j] < 0) {
            qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "mirror: joint '%s' has no partner",
                          mf->joint[j]);
            return false;
        }
    return true;
}

// Entry k of a term's frame comes from entry *from, times the sign; 0: the term has no mirror.
static float mirror_entry(const qi_term *t, const mirror *m, int k, int *from) {
    static const float turn[3] = {-1, 1, -1}, flip[3] = {1, -1, 1}, order[3] = {1, -1, -1};
    *from = k;
    switch (t->kind) {
    case QI_TERM_GYRO: return turn[k];
    case QI_TERM_GRAVITY:
    case QI_TERM_LIN_VEL: return flip[k];
    case QI_TERM_COMMAND: return order[k];
    case QI_TERM_STANCE:
    case QI_TERM_CONSTANT: return 1;
    case QI_TERM_JOINT_POS:
    case QI_TERM_JOINT_VEL:
    case QI_TERM_JOINT_ERROR:
    case QI_TERM_ACTION: {
        int j = t->njoint ? t->joint[k] : k;
        for (int i = 0; i < t->dim; i++)
            if ((t->njoint ? t->joint[i] : i) == m->joint[j]) *from = i;
        return m->sign[j];
    }
    case QI_TERM_PHASE: { // legs in pairs, left and right
        int legs = t->form == QI_PHASE_SINCOS ? t->dim / 2 : t->dim;
        *from = k ^ 1;
        return legs % 2 == 0 ? 1 : 0;
    }
    default: return 0;
    }
}

static bool make_mirror(qi_worlds *w, qiao_diag *d) {
    const qi_obs_group *g = &w->manifest->obs;
    if (w->r->npair == 0 || w->r->ppo.symmetry <= 0) return true;
    mirror m = {0};
    int *from = qiao_arena_get(w->arena, (size_t)g->size * sizeof *from);
    float *sign = qiao_arena_get(w->arena, (size_t)g->size * sizeof *sign);
    int *act = qiao_arena_get(w->arena, sizeof m.joint);
    float *act_sign = qiao_arena_get(w->arena, sizeof m.sign);
    if (!from || !sign || !act || !act_sign) return nothing(w, d);
    if (!pair_joints(w, &m, d)) return false;
    for (int i = 0; i < g->nterm; i++) {
        const qi_term *t = &g->term[i];
        int frames = g->by_term ? t->history : g->history;
        for (int h = 0; h < frames; h++)
            for (int k = 0; k < t->dim; k++) {
                int base = g->by_term ? t->at_input + h * t->dim : h * g->frame + t->at_frame, of;
                float s = mirror_entry(t, &m, k, &of);
                if (s == 0) {
                    qi_manifest_fault(w->manifest, t->at, QIAO_E_UNSUPPORTED, d,
                                      "term '%s' has no mirror; train without symmetry", t->name);
                    return false;
                }
                from[base + k] = base + of, sign[base + k] = s;
            }
    }
    memcpy(act, m.joint, sizeof m.joint), memcpy(act_sign, m.sign, sizeof m.sign);
    w->env.mirror_obs = from, w->env.sign_obs = sign;
    w->env.mirror_act = act, w->env.sign_act = act_sign;
    return true;
}

// What the scenario tells each world as text: where a robot that stands fixed is, for one.
static bool gather_facts(qi_worlds *w, qiao_diag *d) {
    const char *const *name, *const *text;
    int grounds = w->r->grounds, np = qiao_case_facts(w->cas[0], &name, &text);
    const char **fact =
        qiao_arena_get(w->arena, ((size_t)w->r->worlds * (size_t)np + 1) * sizeof *fact);
    if (!fact) return nothing(w, d);
    w->io.nparam = np, w->io.param_name = name, w->io.param_text = fact;
    for (int i = 0; i < w->r->worlds; i++) {
        if (qiao_case_facts(w->cas[i % grounds], &name, &text) != np) {
            qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0, "two grounds have not the same facts");
            return false;
        }
        memcpy(fact + i * np, text, (size_t)np * sizeof *fact);
    }
    return true;
}

static bool make_env(qi_worlds *w, qiao_diag *d) {
    const qi_recipe *r = w->r;
    size_t n = (size_t)r->worlds;
    const qiao_io *io = qiao_sim_io(w->sim);
    w->io = *io, w->io.nworld = r->worlds;
    if (!gather_facts(w, d)) return false;
    size_t size = qi_policy_size(w->policy, &w->io, r->worlds, d);
    w->mind = size ? aligned_alloc(64, (size + 63) / 64 * 64) : NULL;
    if (!w->mind) return d->err ? false : nothing(w, d);
    memset(w->mind, 0, size);
    if (qi_policy_init(w->policy, w->mind, &w->io, r->worlds, d)) return false;
    int more = (r->critic_velocity ? 3 : 0) + (r->critic_contact ? w->nfoot : 0) +
               (r->critic_height ? w->nscan : 0);
    more += (r->critic_joints ? w->njoint : 0) + qi_object_critic_size(w);
    w->env = (qi_env){.n = r->worlds, .nobs = w->manifest->obs.size, .nact = w->njoint};
    w->env.ncritic = w->env.nobs + more;
    qi_worlds_hooks(w);
    size_t row = n * (size_t)io->nu;
    double *c = qiao_arena_get(w->arena, 5 * row * sizeof *c);
    w->one = qiao_arena_get(w->arena, n * sizeof *w->one);
    w->scratch = qiao_arena_get(w->arena, n * 3 * QI_JOINTS_MAX * sizeof *w->scratch);
    w->said = qiao_arena_get(w->arena, n * (size_t)w->njoint * sizeof *w->said);
    if (!c || !w->one || !w->scratch || !w->said) return nothing(w, d);
    for (int i = 0; i < r->worlds; i++) w->one[i].on = i % r->grounds;
    w->cmd = (qiao_cmd){r->worlds, io->nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    return make_mirror(w, d) &&
           (!w->teacher.nbrain ||
            qi_teacher_bind(&w->teacher, &w->io, r->worlds, w->period, w->nstep, w->arena, d));
}

// The brain, with a network of its sizes in place of the one that is to come.
static bool open_policy(qi_worlds *w, qiao_diag *d) {
    qi_manifest *m = qi_manifest_load(w->r->brain, w->robot, d);
    if (!m) return false;
    if (m->obs.size < 1 || m->encoder.file || m->nstate > 0 || m->loop != 1) {
        qi_manifest_fault(m, m->policy.at, QIAO_E_UNSUPPORTED, d,
                          "a brain with an encoder, a state or a faster loop cannot be trained");
        qi_manifest_free(m);
        return false;
    }
    if (!qi_follow_open(w, m, d)) {
        qi_manifest_free(m);
        return false;
    }
    int size[2] = {m->obs.size, m->njoint};
    qi_mlp stub = qi_mlp_make(QI_MLP_ELU, 1, size);
    float *zero = calloc(stub.nparam, sizeof *zero);
    qi_norm none = {0};
    qi_ppo_view v = {.actor = stub, .actor_param = zero, .obs = &none};
    uint8_t *bytes = NULL;
    size_t n;
    qiao_nn *nn = NULL;
    if (zero && !qi_onnx_make(&v, 0, NULL, NULL, &bytes, &n, d))
        nn = qiao_nn_read(bytes, n, "the network to come", NULL, QIAO_NN_F32, d);
    free(zero), free(bytes);
    if (!nn) {
        qi_manifest_free(m);
        return d->err ? false : nothing(w, d);
    }
    w->manifest = m;
    w->policy = qi_policy_open_net(m, nn, d);
    return w->policy != NULL;
}

qi_worlds *qi_worlds_new(const qi_recipe *r, qi_pool *pool, qiao_diag *d) {
    qi_worlds *w = calloc(1, sizeof *w);
    if (!w || !(w->arena = qiao_arena_new())) {
        free(w);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    w->r = r, w->pool = pool, w->cos_tilt = cos(r->end_tilt), w->share = r->grow_from;
    w->robot = qiao_robot_load(r->robot, d);
    if (w->robot) {
        const qiao_model *m = w->robot->model;
        int j = m->body_jntadr[w->robot->base];
        w->floats = j >= 0 && m->jnt_type[j] == QIAO_JOINT_FREE;
    }
    bool ok = w->robot && (w->scenario = qiao_scenario_load(r->scenario, d)) && open_policy(w, d);
    if (ok && r->teacher) ok = qi_teacher_open(&w->teacher, r, w->robot, d);
    if (ok) w->period = 1 / w->manifest->rate_hz, w->episode = (int)lround(r->seconds / w->period);
    if (ok && make_grounds(w, d) && make_sim(w, d) && bind_signals(w, d) && make_env(w, d) &&
        qi_ground_check(w, d))
        return w;
    qi_worlds_free(w);
    return NULL;
}

void qi_worlds_free(qi_worlds *w) {
    if (!w) return;
    qi_teacher_close(&w->teacher);
    free(w->mind);
    qiao_sim_free(w->sim);
    for (int i = 0; i < w->r->grounds; i++) {
        if (w->model) qiao_model_free(w->model[i]);
        if (w->cas) qiao_case_free(w->cas[i]);
    }
    qi_policy_close(w->policy);
    qiao_scenario_free(w->scenario);
    qiao_robot_free(w->robot);
    qiao_arena_free(w->arena);
    free(w);
}

const qi_teach *qi_worlds_teach(const qi_worlds *w) { return w->teacher.nbrain ? &w->teach : NULL; }
const qi_env *qi_worlds_env(const qi_worlds *w) { return &w->env; }
const qi_manifest *qi_worlds_manifest(const qi_worlds *w) { return w->manifest; }
const qiao_robot *qi_worlds_robot(const qi_worlds *w) { return w->robot; }
