// SPDX-License-Identifier: Apache-2.0
// recipe.c - reads train.yaml. Every key is known, every number has its bounds.
#include "learn/recipe.h"

#include "model/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const qi_reward_name[QI_REWARD_KINDS] = {
#define NAME(name, text, param, value) #name,
    QI_REWARD_LIST(NAME)
#undef NAME
};
static const char *const reward_param[QI_REWARD_KINDS] = {
#define PARAM(name, text, param, value) param,
    QI_REWARD_LIST(PARAM)
#undef PARAM
};
static const double reward_value[QI_REWARD_KINDS] = {
#define VALUE(name, text, param, value) value,
    QI_REWARD_LIST(VALUE)
#undef VALUE
};

typedef struct reader {
    qi_yaml y;
    qi_recipe *r;
} reader;

#define KEYS(y, map, ...)                                    \
    qi_yaml_keys(y, map, (const char *const[]){__VA_ARGS__}, \
                 (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))

// A block of that name: *map NULL if it is not there, false if it is no block.
static bool block(reader *g, yaml_node_t *in, const char *key, yaml_node_t **map) {
    *map = qi_yaml_get(&g->y, in, key);
    if (!*map || (*map)->type == YAML_MAPPING_NODE) return true;
    return qi_yaml_fault(&g->y, *map, "%s: expected keys and values", key);
}

// [low, high], or one number for both.
static bool range(reader *g, yaml_node_t *map, const char *key, double lo, double hi,
                  qi_range *out) {
    yaml_node_t *v = qi_yaml_get(&g->y, map, key);
    if (!v) return true;
    if (v->type == YAML_SCALAR_NODE) {
        if (!qi_yaml_num(&g->y, map, key, lo, hi, &out->lo)) return false;
        out->hi = out->lo;
        return true;
    }
    double x[2];
    if (qi_yaml_count(v) != 2) return qi_yaml_fault(&g->y, v, "%s: expected [low, high]", key);
    for (int i = 0; i < 2; i++) {
        yaml_node_t *item = qi_yaml_item(&g->y, v, i);
        const char *s = qi_yaml_scalar(item);
        char *end = NULL;
        x[i] = s ? strtod(s, &end) : NAN;
        if (!s || end == s || *end || !(x[i] >= lo && x[i] <= hi))
            return qi_yaml_fault(&g->y, item, "%s: expected a number from %g to %g, not '%.40s'",
                                 key, lo, hi, s ? s : "a list");
    }
    if (x[0] > x[1])
        return qi_yaml_fault(&g->y, v, "%s: %g is more than %g; the lower comes first", key, x[0],
                             x[1]);
    *out = (qi_range){x[0], x[1]};
    return true;
}

// [first, last] from 0 to 1, or one number for both.
static bool shares(reader *g, yaml_node_t *map, const char *key, qi_range *out) {
    yaml_node_t *v = qi_yaml_get(&g->y, map, key);
    if (!v || v->type == YAML_SCALAR_NODE) return range(g, map, key, 0, 1, out);
    double x[2];
    if (qi_yaml_count(v) != 2) return qi_yaml_fault(&g->y, v, "%s: expected [first, last]", key);
    for (int i = 0; i < 2; i++) {
        const char *s = qi_yaml_scalar(qi_yaml_item(&g->y, v, i));
        char *end = NULL;
        x[i] = s ? strtod(s, &end) : NAN;
        if (!s || end == s || *end || !(x[i] >= 0 && x[i] <= 1))
            return qi_yaml_fault(&g->y, qi_yaml_item(&g->y, v, i),
                                 "%s: expected a number from 0 to 1, not '%.40s'", key,
                                 s ? s : "a list");
    }
    *out = (qi_range){x[0], x[1]};
    return true;
}

static bool whole(reader *g, yaml_node_t *map, const char *key, int lo, int hi, int *out) {
    double x = *out;
    if (!qi_yaml_num(&g->y, map, key, lo, hi, &x)) return false;
    if (x != floor(x))
        return qi_yaml_fault(&g->y, qi_yaml_get(&g->y, map, key), "%s: expected a whole number",
                             key);
    *out = (int)x;
    return true;
}

static bool read_command(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    yaml_node_t *m;
    if (!block(g, root, "command", &m)) return false;
    if (!m) return true;
    return KEYS(&g->y, m, "vx", "vy", "yaw_rate", "still", "seconds") &&
           range(g, m, "vx", -10, 10, &r->vx) && range(g, m, "vy", -10, 10, &r->vy) &&
           range(g, m, "yaw_rate", -10, 10, &r->yaw_rate) &&
           qi_yaml_num(&g->y, m, "still", 0, 1, &r->still) &&
           range(g, m, "seconds", 0.1, 1000, &r->command_seconds);
}

// A rotation in degrees.
static bool degrees(reader *g, yaml_node_t *map, const char *key, double lo, double hi,
                    qi_range *out) {
    static const double deg = 0.017453292519943295;
    qi_range r = {out->lo / deg, out->hi / deg};
    if (!range(g, map, key, lo, hi, &r)) return false;
    *out = (qi_range){r.lo * deg, r.hi * deg};
    return true;
}

static bool places(reader *g, yaml_node_t *m, double most, qi_range at[3]) {
    return range(g, m, "x", -most, most, &at[0]) && range(g, m, "y", -most, most, &at[1]) &&
           range(g, m, "z", -most, most, &at[2]);
}

static bool site_name(reader *g, yaml_node_t *v, const char **out) {
    const char *s = qi_yaml_scalar(v);
    if (!s || !*s || strlen(s) > 60) return qi_yaml_fault(&g->y, v, "expected the name of a site");
    return (*out = qiao_arena_text(g->r->arena, s, strlen(s))) != NULL;
}

// object: what is worked on; its start and its ends
static bool read_object(reader *g, yaml_node_t *root) {
    qi_object *o = &g->r->object;
    yaml_node_t *m, *s, *e;
    if (!block(g, root, "object", &m)) return false;
    if (!m) return true;
    double turn = 0;
    const char *name = NULL;
    if (!KEYS(&g->y, m, "name", "hand", "tips", "start", "end") ||
        !qi_yaml_text(&g->y, m, "name", &name))
        return false;
    if (!name) return qi_yaml_fault(&g->y, m, "object: name is missing");
    if (!(o->name = qiao_arena_text(g->r->arena, name, strlen(name)))) return false;
    yaml_node_t *hand = qi_yaml_get(&g->y, m, "hand"), *tips = qi_yaml_get(&g->y, m, "tips");
    if (hand && !site_name(g, hand, &o->hand)) return false;
    o->ntip = tips ? qi_yaml_count(tips) : 0;
    if (o->ntip < 0 || o->ntip > QI_TIPS_MAX)
        return qi_yaml_fault(&g->y, tips, "tips: expected a list of at most %d sites", QI_TIPS_MAX);
    for (int i = 0; i < o->ntip; i++)
        if (!site_name(g, qi_yaml_item(&g->y, tips, i), &o->tip[i])) return false;
    if (!block(g, m, "start", &s) || !block(g, m, "end", &e)) return false;
    if (s && !(KEYS(&g->y, s, "x", "y", "z", "yaw_deg", "turn_deg") && places(g, s, 10, o->at) &&
               degrees(g, s, "yaw_deg", -360, 360, &o->yaw) &&
               qi_yaml_num(&g->y, s, "turn_deg", 0, 180, &turn)))
        return false;
    o->turn = turn * 0.017453292519943295;
    return !e || (KEYS(&g->y, e, "height", "distance") &&
                  qi_yaml_num(&g->y, e, "height", 0, 10, &o->low) &&
                  qi_yaml_num(&g->y, e, "distance", 0, 10, &o->far));
}

// goal: where the object shall be
static bool read_goal(reader *g, yaml_node_t *root) {
    qi_aim *a = &g->r->goal;
    yaml_node_t *m;
    const char *what = NULL;
    if (!block(g, root, "goal", &m)) return false;
    if (!m) return true;
    double turn = 180;
    if (!KEYS(&g->y, m, "of", "tolerance", "seconds", "again", "turn_deg", "x", "y", "z") ||
        !qi_yaml_text(&g->y, m, "of", &what))
        return false;
    if (!what || (strcmp(what, "orientation") != 0 && strcmp(what, "place") != 0))
        return qi_yaml_fault(&g->y, m, "goal: of is orientation or place, not '%.40s'",
                             what ? what : "nothing");
    a->kind = what[0] == 'o' ? QI_AIM_ORIENTATION : QI_AIM_PLACE;
    static const char *const strange[2][3] = {{"x", "y", "z"},
                                              {"turn_deg", "turn_deg", "turn_deg"}};
    for (int i = 0; i < 3; i++) {
        yaml_node_t *v = qi_yaml_get(&g->y, m, strange[a->kind == QI_AIM_PLACE][i]);
        if (v)
            return qi_yaml_fault(&g->y, v, "goal: %s says nothing of %s",
                                 strange[a->kind == QI_AIM_PLACE][i],
                                 a->kind == QI_AIM_PLACE ? "a place" : "an orientation");
    }
    if (!g->r->object.name)
        return qi_yaml_fault(&g->y, m, "goal: of which object? object: {name: ..} is missing");
    if (!(range(g, m, "tolerance", 0.001, 3, &a->tolerance) &&
          qi_yaml_num(&g->y, m, "seconds", 0, 1000, &a->seconds) &&
          qi_yaml_bool(&g->y, m, "again", &a->again) &&
          qi_yaml_num(&g->y, m, "turn_deg", 1, 180, &turn) && places(g, m, 100, a->at)))
        return false;
    if (a->tolerance.hi <= 0) return qi_yaml_fault(&g->y, m, "goal: tolerance is missing");
    a->turn = turn * 0.017453292519943295;
    return true;
}

static bool read_ends(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    yaml_node_t *m;
    double tilt = r->end_tilt / 0.017453292519943295;
    if (!block(g, root, "end", &m)) return false;
    if (m && !(KEYS(&g->y, m, "tilt_deg", "height") &&
               qi_yaml_num(&g->y, m, "tilt_deg", 1, 180, &tilt) &&
               qi_yaml_num(&g->y, m, "height", 0, 10, &r->end_height)))
        return false;
    r->end_tilt = tilt * 0.017453292519943295;
    if (!block(g, root, "start", &m)) return false;
    if (m && !(KEYS(&g->y, m, "joint", "speed") &&
               qi_yaml_num(&g->y, m, "joint", 0, 1, &r->start_joint) &&
               qi_yaml_num(&g->y, m, "speed", 0, 3, &r->start_speed)))
        return false;
    if (!block(g, root, "push", &m)) return false;
    return !m || (KEYS(&g->y, m, "speed", "seconds") &&
                  qi_yaml_num(&g->y, m, "speed", 0, 5, &r->push_speed) &&
                  range(g, m, "seconds", 0.2, 1000, &r->push_seconds));
}

static bool read_vary(reader *g, yaml_node_t *root) {
    qi_vary *v = &g->r->vary;
    yaml_node_t *m;
    if (!block(g, root, "vary", &m)) return false;
    if (!m) return true;
    v->any = true;
    return KEYS(&g->y, m, "friction", "mass", "payload", "com", "damping", "armature",
                "frictionloss", "kp", "kd", "torque", "delay", "object_mass", "episodes") &&
           range(g, m, "object_mass", 0.01, 100, &v->object_mass) &&
           range(g, m, "friction", 0.01, 10, &v->friction) &&
           range(g, m, "mass", 0.1, 10, &v->mass) && range(g, m, "payload", -20, 50, &v->payload) &&
           range(g, m, "com", -0.5, 0.5, &v->com) &&
           range(g, m, "damping", 0.01, 100, &v->damping) &&
           range(g, m, "armature", 0.01, 100, &v->armature) &&
           range(g, m, "frictionloss", 0.01, 100, &v->frictionloss) &&
           range(g, m, "kp", 0.1, 10, &v->kp) && range(g, m, "kd", 0.1, 10, &v->kd) &&
           range(g, m, "torque", 0.1, 10, &v->torque) && range(g, m, "delay", 0, 0.1, &v->delay) &&
           whole(g, m, "episodes", 1, 1000000, &v->episodes);
}

static bool read_ground(reader *g, yaml_node_t *root) {
    qi_rise *v = &g->r->rise;
    yaml_node_t *m;
    const char *by = NULL;
    if (!block(g, root, "ground", &m)) return false;
    if (!m) return true;
    if (qi_yaml_get(&g->y, root, "grounds"))
        return qi_yaml_fault(&g->y, m, "ground: it says how many; 'grounds' beside it is too much");
    v->levels = 8, v->draws = 4, v->leave = 1;
    if (!(KEYS(&g->y, m, "by", "levels", "draws", "x", "y", "leave") &&
          qi_yaml_text(&g->y, m, "by", &by) && whole(g, m, "levels", 1, 100, &v->levels) &&
          whole(g, m, "draws", 1, 100, &v->draws) && range(g, m, "x", -1000, 1000, &v->x) &&
          range(g, m, "y", -1000, 1000, &v->y) &&
          qi_yaml_num(&g->y, m, "leave", 0, 1000, &v->leave)))
        return false;
    if (!by)
        return qi_yaml_fault(&g->y, m, "ground: which parameter says how hard it is? by: NAME");
    int n = v->levels * v->draws;
    if (n > 1024 || n > g->r->worlds)
        return qi_yaml_fault(&g->y, m, "ground: %d grounds; expected at most 1024, and %d worlds",
                             n, g->r->worlds);
    g->r->grounds = n;
    return (v->by = qiao_arena_text(g->r->arena, by, strlen(by))) != NULL;
}

// name: weight, or name: {weight: .., parameter: ..}
static bool read_rewards(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    yaml_node_t *m;
    if (!block(g, root, "rewards", &m)) return false;
    if (!m) return qi_yaml_fault(&g->y, root, "rewards are missing");
    if (!qi_yaml_keys(&g->y, m, qi_reward_name, QI_REWARD_KINDS)) return false;
    for (int k = 0; k < QI_REWARD_KINDS; k++) {
        yaml_node_t *v = qi_yaml_get(&g->y, m, qi_reward_name[k]);
        if (!v) continue;
        qi_reward *w = &r->reward[r->nreward++];
        *w = (qi_reward){(qi_reward_kind)k, 0, reward_value[k]};
        if (v->type != YAML_MAPPING_NODE) {
            if (!qi_yaml_num(&g->y, m, qi_reward_name[k], -1e6, 1e6, &w->weight)) return false;
            continue;
        }
        const char *keys[2] = {"weight", reward_param[k]};
        if (!qi_yaml_keys(&g->y, v, keys, keys[1] ? 2 : 1) ||
            !qi_yaml_num(&g->y, v, "weight", -1e6, 1e6, &w->weight))
            return false;
        if (keys[1] && !qi_yaml_num(&g->y, v, keys[1], 1e-6, 1e3, &w->param)) return false;
    }
    if (r->nreward == 0) return qi_yaml_fault(&g->y, m, "rewards: there is none");
    return true;
}

// [left, right, sign] lists
static bool read_mirror(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    yaml_node_t *v = qi_yaml_get(&g->y, root, "mirror");
    if (!v) return true;
    int n = qi_yaml_count(v);
    if (n < 1 || n > 64)
        return qi_yaml_fault(&g->y, v, "mirror: expected 1 to 64 lists [left, right, sign]");
    for (int i = 0; i < n; i++) {
        yaml_node_t *it = qi_yaml_item(&g->y, v, i);
        const char *s[3] = {0};
        for (int k = 0; k < 3 && qi_yaml_count(it) == 3; k++)
            s[k] = qi_yaml_scalar(qi_yaml_item(&g->y, it, k));
        double sign = s[2] ? strtod(s[2], NULL) : 0;
        if (!s[0] || !s[1] || (sign != 1 && sign != -1) || strlen(s[0]) > 60 || strlen(s[1]) > 60)
            return qi_yaml_fault(&g->y, it, "mirror: expected [left joint, right joint, 1 or -1]");
        r->pair[i].left = qiao_arena_text(r->arena, s[0], strlen(s[0]));
        r->pair[i].right = qiao_arena_text(r->arena, s[1], strlen(s[1]));
        r->pair[i].sign = sign;
    }
    r->npair = n;
    return true;
}

static bool read_hidden(reader *g, yaml_node_t *map, const char *key, int *n, int *size) {
    yaml_node_t *v = qi_yaml_get(&g->y, map, key);
    if (!v) return true;
    *n = qi_yaml_count(v);
    if (*n < 0 || *n >= QI_MLP_LAYERS)
        return qi_yaml_fault(&g->y, v, "%s: expected a list of at most %d sizes", key,
                             QI_MLP_LAYERS - 1);
    for (int i = 0; i < *n; i++) {
        yaml_node_t *item = qi_yaml_item(&g->y, v, i);
        const char *s = qi_yaml_scalar(item);
        size[i] = s ? atoi(s) : 0;
        if (size[i] < 1 || size[i] > 2048)
            return qi_yaml_fault(&g->y, item, "%s: expected a size from 1 to 2048", key);
    }
    return true;
}

static bool activation(reader *g, yaml_node_t *map, qi_mlp_act *out) {
    static const char *const acts[3] = {"elu", "relu", "tanh"};
    const char *act = acts[*out];
    if (!qi_yaml_text(&g->y, map, "activation", &act)) return false;
    for (int i = 0; i < 3; i++)
        if (strcmp(act, acts[i]) == 0) return *out = (qi_mlp_act)i, true;
    return qi_yaml_fault(&g->y, qi_yaml_get(&g->y, map, "activation"),
                         "activation: expected elu, relu or tanh, not '%.40s'", act);
}

static bool read_ppo(reader *g, yaml_node_t *root) {
    qi_ppo_def *p = &g->r->ppo;
    yaml_node_t *m;
    const char *type = "float32";
    double seed = 1;
    if (!block(g, root, "ppo", &m)) return false;
    if (!m) return true;
    bool ok = KEYS(&g->y, m, "horizon", "epochs", "minibatches", "gamma", "lambda", "clip", "value",
                   "entropy", "rate", "kl", "grad_max", "std", "symmetry", "actor", "critic",
                   "activation", "seed", "type") &&
              whole(g, m, "horizon", 1, 1000, &p->horizon) &&
              whole(g, m, "epochs", 1, 100, &p->epochs) &&
              whole(g, m, "minibatches", 1, 1000, &p->minibatches) &&
              qi_yaml_num(&g->y, m, "gamma", 0, 1, &p->gamma) &&
              qi_yaml_num(&g->y, m, "lambda", 0, 1, &p->lambda) &&
              qi_yaml_num(&g->y, m, "clip", 0.01, 1, &p->rule.clip) &&
              qi_yaml_num(&g->y, m, "value", 0, 100, &p->rule.value) &&
              qi_yaml_num(&g->y, m, "entropy", 0, 1, &p->rule.entropy) &&
              qi_yaml_num(&g->y, m, "rate", 1e-7, 1, &p->rate) &&
              qi_yaml_num(&g->y, m, "kl", 0, 1, &p->kl) &&
              qi_yaml_num(&g->y, m, "grad_max", 1e-3, 1e6, &p->grad_max) &&
              qi_yaml_num(&g->y, m, "std", 1e-3, 10, &p->std) &&
              qi_yaml_num(&g->y, m, "symmetry", 0, 100, &p->symmetry) &&
              qi_yaml_num(&g->y, m, "seed", 0, 9e15, &seed) &&
              read_hidden(g, m, "actor", &p->nactor, p->actor) &&
              read_hidden(g, m, "critic", &p->ncritic, p->critic) && activation(g, m, &p->act) &&
              qi_yaml_text(&g->y, m, "type", &type);
    if (!ok) return false;
    p->seed = (uint64_t)seed, p->half = strcmp(type, "bfloat16") == 0;
    return p->half || strcmp(type, "float32") == 0 ||
           qi_yaml_fault(&g->y, qi_yaml_get(&g->y, m, "type"),
                         "type: expected float32 or bfloat16, not '%.40s'", type);
}

static bool read_td3(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    qi_td3_def *t = &r->td3;
    yaml_node_t *m;
    const char *learner = "ppo";
    double seed = (double)r->ppo.seed;
    if (!qi_yaml_text(&g->y, root, "learner", &learner) || !block(g, root, "td3", &m)) return false;
    r->use_td3 = strcmp(learner, "td3") == 0;
    if (!r->use_td3 && strcmp(learner, "ppo") != 0)
        return qi_yaml_fault(&g->y, qi_yaml_get(&g->y, root, "learner"),
                             "learner: expected ppo or td3, not '%.40s'", learner);
    if (!m) return true;
    bool ok =
        KEYS(&g->y, m, "horizon", "keep", "batch", "updates", "warm", "delay", "gamma", "tau",
             "noise", "smooth", "smooth_max", "reach", "actor_rate", "critic_rate", "actor",
             "critic", "activation", "seed") &&
        whole(g, m, "horizon", 1, 1000, &r->td3_horizon) &&
        whole(g, m, "keep", 3, 1000000, &t->keep) && whole(g, m, "batch", 1, 1 << 16, &t->batch) &&
        whole(g, m, "updates", 1, 1000, &t->updates) && whole(g, m, "warm", 0, 1000000, &t->warm) &&
        whole(g, m, "delay", 1, 100, &t->delay) &&
        qi_yaml_num(&g->y, m, "gamma", 0, 1, &t->gamma) &&
        qi_yaml_num(&g->y, m, "tau", 1e-6, 1, &t->tau) &&
        qi_yaml_num(&g->y, m, "noise", 0, 2, &t->noise) &&
        qi_yaml_num(&g->y, m, "smooth", 0, 2, &t->smooth) &&
        qi_yaml_num(&g->y, m, "smooth_max", 0, 2, &t->smooth_max) &&
        qi_yaml_num(&g->y, m, "reach", 1e-3, 100, &t->reach) &&
        qi_yaml_num(&g->y, m, "actor_rate", 1e-7, 1, &t->actor_rate) &&
        qi_yaml_num(&g->y, m, "critic_rate", 1e-7, 1, &t->critic_rate) &&
        qi_yaml_num(&g->y, m, "seed", 0, 9e15, &seed) &&
        read_hidden(g, m, "actor", &t->nactor, t->actor) &&
        read_hidden(g, m, "critic", &t->ncritic, t->critic) && activation(g, m, &t->act);
    r->ppo.seed = (uint64_t)seed;
    if (ok && (double)r->worlds * t->keep > 1 << 24)
        return qi_yaml_fault(&g->y, m, "td3: %d worlds times %d steps kept; at most %d together",
                             r->worlds, t->keep, 1 << 24);
    return ok;
}

static bool read_critic(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    yaml_node_t *v = qi_yaml_get(&g->y, root, "critic");
    enum { N = 6 };
    static const char *const names[N] = {"velocity", "contact", "height",
                                         "object",   "tips",    "joints"};
    bool *flag[N] = {&r->critic_velocity, &r->critic_contact, &r->critic_height,
                     &r->critic_object,   &r->critic_tips,    &r->critic_joints};
    static const char text[] = "velocity, contact, height, object, tips or joints";
    if (!v) return true;
    int n = qi_yaml_count(v);
    if (n < 0) return qi_yaml_fault(&g->y, v, "critic: expected a list of %s", text);
    for (int i = 0; i < n; i++) {
        const char *s = qi_yaml_scalar(qi_yaml_item(&g->y, v, i));
        int k = 0;
        while (k < N && !(s && strcmp(s, names[k]) == 0)) k++;
        if (k == N)
            return qi_yaml_fault(&g->y, qi_yaml_item(&g->y, v, i), "critic: expected %s", text);
        *flag[k] = true;
    }
    return true;
}

// A file as the recipe names it: beside the recipe, unless its path is whole.
static const char *beside(const qi_recipe *r, const char *file) {
    const char *slash = strrchr(r->path, '/');
    return file[0] == '/' || !slash
               ? qiao_arena_text(r->arena, file, strlen(file))
               : qiao_arena_printf(r->arena, "%.*s/%s", (int)(slash - r->path), r->path, file);
}

static bool read_motion(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    const char *file = NULL, *start = "any";
    yaml_node_t *m;
    if (!block(g, root, "motion", &m)) return false;
    for (int i = 0; !m && i < r->nreward; i++)
        if (strncmp(qi_reward_name[r->reward[i].kind], "motion_", 7) == 0)
            return qi_yaml_fault(&g->y, qi_yaml_get(&g->y, root, "rewards"),
                                 "rewards: '%s' needs a motion, and there is none",
                                 qi_reward_name[r->reward[i].kind]);
    if (!m) return true;
    if (!(KEYS(&g->y, m, "file", "from", "to", "loop", "start", "far") &&
          qi_yaml_text(&g->y, m, "file", &file) && qi_yaml_text(&g->y, m, "start", &start) &&
          qi_yaml_num(&g->y, m, "from", 0, 1e5, &r->motion_from) &&
          qi_yaml_num(&g->y, m, "to", 0, 1e5, &r->motion_to) &&
          qi_yaml_bool(&g->y, m, "loop", &r->motion_loop) &&
          qi_yaml_num(&g->y, m, "far", 0, 100, &r->motion_far)))
        return false;
    if (!file) return qi_yaml_fault(&g->y, m, "motion: file is missing");
    r->motion_any = strcmp(start, "any") == 0;
    if (!r->motion_any && strcmp(start, "first") != 0)
        return qi_yaml_fault(&g->y, qi_yaml_get(&g->y, m, "start"),
                             "start: expected any or first, not '%.40s'", start);
    r->motion = beside(r, file);
    return r->motion != NULL;
}

static bool read_imitate(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    const char *brain = NULL;
    qi_range mix = {r->mix[0], r->mix[1]};
    yaml_node_t *m;
    if (!block(g, root, "imitate", &m)) return false;
    if (!m) return true;
    if (!(KEYS(&g->y, m, "brain", "steps", "mix", "epochs", "minibatches", "rate", "noise") &&
          qi_yaml_text(&g->y, m, "brain", &brain) &&
          qi_yaml_num(&g->y, m, "steps", 1, 1e12, &r->imitate_steps) &&
          whole(g, m, "epochs", 1, 100, &r->imitate_epochs) &&
          whole(g, m, "minibatches", 1, 1000, &r->imitate_minibatches) &&
          qi_yaml_num(&g->y, m, "rate", 1e-7, 1, &r->imitate_rate) &&
          qi_yaml_num(&g->y, m, "noise", 0, 10, &r->imitate_noise)))
        return false;
    if (!brain) return qi_yaml_fault(&g->y, m, "imitate: brain is missing");
    if (r->use_td3) return qi_yaml_fault(&g->y, m, "imitate: only learner ppo can go on from it");
    if (!shares(g, m, "mix", &mix)) return false;
    r->mix[0] = mix.lo, r->mix[1] = mix.hi;
    r->teacher = strchr(brain, '.') || strchr(brain, '/')
                     ? beside(r, brain)
                     : qiao_arena_text(r->arena, brain, strlen(brain));
    return r->teacher != NULL;
}

static bool read_top(reader *g, yaml_node_t *root) {
    qi_recipe *r = g->r;
    const char *brain = "brain.yaml", *robot = NULL, *scenario = "walk_flat", *engine = "lanes32";
    if (!(KEYS(&g->y, root, "brain", "robot", "scenario", "engine", "ground", "grounds",
               "iterations", "worlds", "seconds", "steps", "checkpoint", "critic", "command", "end",
               "start", "push", "vary", "grow", "rewards", "mirror", "ppo", "learner", "td3",
               "imitate", "motion", "object", "goal") &&
          qi_yaml_text(&g->y, root, "brain", &brain) &&
          qi_yaml_text(&g->y, root, "robot", &robot) &&
          qi_yaml_text(&g->y, root, "scenario", &scenario) &&
          qi_yaml_text(&g->y, root, "engine", &engine) &&
          whole(g, root, "grounds", 1, 1024, &r->grounds) &&
          whole(g, root, "iterations", 0, 100, &r->iterations) &&
          whole(g, root, "worlds", 1, 1 << 16, &r->worlds) &&
          qi_yaml_num(&g->y, root, "seconds", 0.1, 1000, &r->seconds) &&
          qi_yaml_num(&g->y, root, "steps", 1, 1e12, &r->steps) &&
          whole(g, root, "checkpoint", 1, 1000000, &r->checkpoint)))
        return false;
    if (!robot) return qi_yaml_fault(&g->y, root, "robot is missing");
    r->brain = beside(r, brain);
    r->robot =
        strchr(robot, '.') ? beside(r, robot) : qiao_arena_text(r->arena, robot, strlen(robot));
    r->scenario = strchr(scenario, '.') ? beside(r, scenario)
                                        : qiao_arena_text(r->arena, scenario, strlen(scenario));
    r->engine = qiao_arena_text(r->arena, engine, strlen(engine));
    yaml_node_t *m;
    if (!block(g, root, "grow", &m)) return false;
    if (m &&
        !(KEYS(&g->y, m, "from", "steps") && qi_yaml_num(&g->y, m, "from", 0, 1, &r->grow_from) &&
          qi_yaml_num(&g->y, m, "steps", 1, 1e12, &r->grow_steps)))
        return false;
    return r->brain && r->robot && r->scenario && r->engine;
}

static void defaults(qi_recipe *r) {
    qi_range one = {1, 1};
    r->grounds = 1, r->worlds = 2048, r->seconds = 20, r->steps = 1e8, r->checkpoint = 50;
    r->iterations = 2;
    r->command_seconds = (qi_range){5, 10}, r->push_seconds = (qi_range){5, 10};
    r->end_tilt = 1.0471975511965976, r->grow_from = 1, r->grow_steps = 1;
    r->vary = (qi_vary){.friction = one,
                        .mass = one,
                        .damping = one,
                        .armature = one,
                        .frictionloss = one,
                        .kp = one,
                        .kd = one,
                        .torque = one,
                        .object_mass = one,
                        .episodes = 4};
    r->goal = (qi_aim){.turn = 3.141592653589793, .again = true};
    r->ppo = qi_ppo_def_default();
    r->motion_to = -1;
    r->imitate_steps = 2e6, r->mix[0] = 1, r->imitate_epochs = r->imitate_minibatches = 4;
    r->imitate_rate = 1e-3;
    r->td3 = qi_td3_def_default(), r->td3_horizon = 8;
}

qi_recipe *qi_recipe_read(const char *path, const char *text, size_t n, qiao_diag *d) {
    reader g = {0};
    qiao_arena *a = qiao_arena_new();
    qi_recipe *r = a ? qiao_arena_get(a, sizeof *r) : NULL;
    if (!r) {
        qiao_arena_free(a);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    r->arena = a, g.r = r;
    defaults(r);
    r->path = qiao_arena_text(a, path, strlen(path));
    qiao_hash h;
    qiao_hash_init(&h), qiao_hash_add(&h, text, n), qiao_hash_end(&h, r->hash);
    bool ok = r->path && qi_yaml_open(&g.y, r->path, text, n, d);
    yaml_node_t *root = ok ? qi_yaml_root(&g.y) : NULL;
    ok = root && read_top(&g, root) && read_critic(&g, root) && read_command(&g, root) &&
         read_object(&g, root) && read_goal(&g, root) && read_ends(&g, root) &&
         read_vary(&g, root) && read_ground(&g, root) && read_rewards(&g, root) &&
         read_mirror(&g, root) && read_ppo(&g, root) && read_td3(&g, root) &&
         read_imitate(&g, root) && read_motion(&g, root);
    qi_yaml_close(&g.y);
    if (ok) return r;
    if (d && !d->err) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qi_recipe_free(r);
    return NULL;
}

qi_recipe *qi_recipe_load(const char *path, qiao_diag *d) {
    char *text;
    size_t n;
    if (qiao_file_read(path, QI_YAML_MAX, &text, &n, d)) return NULL;
    qi_recipe *r = qi_recipe_read(path, text, n, d);
    free(text);
    return r;
}

void qi_recipe_free(qi_recipe *r) {
    if (r) qiao_arena_free(r->arena);
}
