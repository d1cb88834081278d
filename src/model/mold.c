// SPDX-License-Identifier: Apache-2.0
// mold.c - see mold.h. The scene is compiled alone; where its parts are in the whole world is found
// once, and proved by the first scene: every number must be the same in both.
#include "model/mold.h"

#include "model/compile.h"
#include "model/mjguard.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum of { OF_BODY, OF_GEOM, OF_JNT, OF_DOF, OF_Q, OF_EQ, OF_N } of;

struct qi_mold {
    const qiao_robot *robot;
    qiao_model *world; // as compiled
    mjModel *numbers;  // a copy that casts write into
    mjData *data;      // for what MuJoCo derives from masses
    double *q0;
    char *text, *first; // scene of the last cast, of the first
    mjModel *scene;     // the first scene alone; NULL: casts are not possible
    int *map[OF_N], n[OF_N];
    double pos[3], yaw;
    bool fixed; // stat.meaninertia is the file's, not worked out
    bool own;   // the drives bring armatures of their own
    unsigned changed;
    qiao_arena *arena;
};

// ---- the numbers of a scene ----

typedef struct array { // doubles of mjModel
    size_t at;
    int n; // for each element
    of kind;
    unsigned changed; // what a difference means
    bool derived;     // MuJoCo derives other numbers from it, if its body moves
} array;
#define A(name, n, kind, changed, derived) \
    { offsetof(mjModel, name), n, kind, changed, derived }
static const array arrays[] = {
    A(body_pos, 3, OF_BODY, QI_CAST_GROUND, true),
    A(body_quat, 4, OF_BODY, QI_CAST_GROUND, true),
    A(body_ipos, 3, OF_BODY, 0, true),
    A(body_iquat, 4, OF_BODY, 0, true),
    A(body_mass, 1, OF_BODY, 0, true),
    A(body_inertia, 3, OF_BODY, 0, true),
    A(body_gravcomp, 1, OF_BODY, 0, true),
    A(body_margin, 1, OF_BODY, 0, false),
    A(geom_size, 3, OF_GEOM, QI_CAST_GROUND | QI_CAST_TREE, false),
    A(geom_aabb, 6, OF_GEOM, QI_CAST_GROUND | QI_CAST_TREE, false),
    A(geom_rbound, 1, OF_GEOM, QI_CAST_TREE, false),
    A(geom_pos, 3, OF_GEOM, QI_CAST_GROUND | QI_CAST_TREE, false),
    A(geom_quat, 4, OF_GEOM, QI_CAST_GROUND | QI_CAST_TREE, false),
    A(geom_friction, 3, OF_GEOM, 0, false),
    A(geom_solmix, 1, OF_GEOM, 0, false),
    A(geom_solref, mjNREF, OF_GEOM, 0, false),
    A(geom_solimp, mjNIMP, OF_GEOM, 0, false),
    A(geom_margin, 1, OF_GEOM, QI_CAST_TREE, false),
    A(geom_gap, 1, OF_GEOM, 0, false),
    A(jnt_pos, 3, OF_JNT, 0, true),
    A(jnt_axis, 3, OF_JNT, 0, true),
    A(jnt_range, 2, OF_JNT, 0, true),
    A(jnt_solref, mjNREF, OF_JNT, 0, true),
    A(jnt_solimp, mjNIMP, OF_JNT, 0, true),
    A(jnt_margin, 1, OF_JNT, 0, true),
    A(dof_armature, 1, OF_DOF, 0, true),
    A(dof_frictionloss, 1, OF_DOF, 0, true),
    A(qpos0, 1, OF_Q, 0, true),
    A(qpos_spring, 1, OF_Q, 0, true),
    A(eq_data, mjNEQDATA, OF_EQ, 0, true),
    A(eq_solref, mjNREF, OF_EQ, 0, false),
    A(eq_solimp, mjNIMP, OF_EQ, 0, false),
};
#undef A
enum { NARRAY = sizeof arrays / sizeof *arrays };

static double *array_of(const mjModel *m, const array *a) {
    double *p;
    memcpy(&p, (const char *)m + a->at, sizeof p);
    return p;
}

// Whether an element belongs to something that moves.
static bool moves(const mjModel *m, of kind, int i) {
    if (kind == OF_BODY) return m->body_weldid[i] != 0;
    if (kind == OF_GEOM) return m->body_weldid[m->geom_bodyid[i]] != 0;
    return true;
}

static bool same_ints(const mjModel *a, const mjModel *b) {
    if (a->nbody != b->nbody || a->ngeom != b->ngeom || a->njnt != b->njnt || a->nq != b->nq ||
        a->nv != b->nv || a->neq != b->neq || a->nsite != b->nsite || a->nmesh != b->nmesh ||
        a->nhfield != b->nhfield || a->ntendon != b->ntendon || a->nu != b->nu ||
        a->nkey != b->nkey || a->nnames != b->nnames)
        return false;
    size_t nb = (size_t)a->nbody, ng = (size_t)a->ngeom, nj = (size_t)a->njnt, ne = (size_t)a->neq;
#define SAME(x, n) (memcmp(a->x, b->x, (n) * sizeof *a->x) == 0)
    return SAME(names, (size_t)a->nnames) && SAME(body_parentid, nb) && SAME(body_weldid, nb) &&
           SAME(geom_type, ng) && SAME(geom_bodyid, ng) && SAME(geom_contype, ng) &&
           SAME(geom_conaffinity, ng) && SAME(geom_condim, ng) && SAME(geom_priority, ng) &&
           SAME(jnt_type, nj) && SAME(jnt_bodyid, nj) && SAME(jnt_limited, nj) &&
           SAME(eq_type, ne) && SAME(eq_obj1id, ne) && SAME(eq_obj2id, ne) &&
           SAME(eq_active0, ne) && SAME(dof_damping, (size_t)a->nv) && SAME(jnt_stiffness, nj) &&
           memcmp(a->opt.gravity, b->opt.gravity, 24) == 0;
#undef SAME
}

// ---- a scene alone ----

// A scene may name bodies of the robot (a weld): they stand in it as empty bodies.
static char *with_bodies(const qiao_robot *r, const char *xml) {
    const char *end = strstr(xml, "</worldbody>");
    if (!end) return NULL;
    size_t n = strlen(xml), cap = n + 1;
    for (int i = 1; i < r->model->nbody; i++) cap += strlen(r->model->body_name[i]) + 20;
    char *s = malloc(cap);
    if (!s) return NULL;
    size_t at = (size_t)(end - xml);
    memcpy(s, xml, at);
    for (int i = 1; i < r->model->nbody && strstr(end, "<equality"); i++) {
        const char *name = r->model->body_name[i];
        char quoted[300];
        if (snprintf(quoted, sizeof quoted, "\"%s\"", name) >= (int)sizeof quoted) continue;
        if (!*name || !strstr(end, quoted)) continue;
        at += (size_t)sprintf(s + at, "<body name=%s/>", quoted);
    }
    memcpy(s + at, end, n - (size_t)(end - xml) + 1);
    return s;
}

static mjModel *compile(mjSpec *spec) {
    mjModel *volatile m = NULL;
    qi_guard g;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0) m = mj_compile(spec, NULL);
    qi_guard_disarm(&g);
    return m;
}

static mjModel *compile_alone(const qiao_robot *r, const char *xml) {
    qiao_diag d = {0};
    char *text = with_bodies(r, xml);
    mjSpec *spec = text ? qi_parse("scene", text, NULL, &d) : NULL;
    mjModel *m = spec ? compile(spec) : NULL;
    if (spec) mj_deleteSpec(spec);
    free(text);
    return m;
}

// ---- where it is in the world ----

static int *get_map(qi_mold *m, of kind, int n) {
    m->n[kind] = n;
    return m->map[kind] = qiao_arena_get(m->arena, ((size_t)n + 1) * sizeof(int));
}

// Elements of the scene are those of the world that are not the robot's, in the same order.
static bool map_rest(int *map, int n, int nworld, const uint8_t *taken) {
    int k = 0;
    for (int i = 0; i < nworld; i++)
        if (!taken[i]) {
            if (k == n) return false;
            map[k++] = i;
        }
    return k == n;
}

static bool make_maps(qi_mold *m, qiao_diag *d) {
    const mjModel *w = m->numbers, *s = m->scene;
    const qiao_model *r = m->robot->model;
    qiao_part part;
    if (qiao_model_part(m->world, m->robot, m->arena, &part, d)) return false;
    uint8_t *taken = qiao_arena_get(m->arena, (size_t)(w->nbody + w->ngeom + w->njnt) + 1);
    int *body = get_map(m, OF_BODY, (int)s->nbody), *geom = get_map(m, OF_GEOM, (int)s->ngeom);
    int *jnt = get_map(m, OF_JNT, (int)s->njnt), *dof = get_map(m, OF_DOF, (int)s->nv);
    int *q = get_map(m, OF_Q, (int)s->nq), *eq = get_map(m, OF_EQ, (int)s->neq);
    if (!taken || !body || !geom || !jnt || !dof || !q || !eq) return false;
    uint8_t *tg = taken + w->nbody, *tj = tg + w->ngeom;
    for (int i = 0; i < r->nbody; i++) taken[part.body[i]] = 1;
    for (int i = 0; i < r->ngeom; i++) tg[part.geom[i]] = 1;
    for (int i = 0; i < r->njnt; i++) tj[part.jnt[i]] = 1;
    int k = 0;
    body[0] = -1;
    for (int i = 1; i < s->nbody; i++) { // the stand-ins of the robot's bodies have no numbers
        body[i] = -1;
        if (qiao_model_body(r, s->names + s->name_bodyadr[i]) > 0) continue;
        while (k < w->nbody && taken[k]) k++;
        if (k == w->nbody) return false;
        body[i] = k++;
    }
    if (!map_rest(geom, m->n[OF_GEOM], (int)w->ngeom, tg) ||
        !map_rest(jnt, m->n[OF_JNT], (int)w->njnt, tj))
        return false;
    static const int nq[] = {7, 4, 1, 1}, nv[] = {6, 3, 1, 1};
    for (int j = 0; j < s->njnt; j++) {
        if (w->jnt_type[jnt[j]] != s->jnt_type[j]) return false;
        for (int i = 0; i < nq[s->jnt_type[j]]; i++)
            q[s->jnt_qposadr[j] + i] = w->jnt_qposadr[jnt[j]] + i;
        for (int i = 0; i < nv[s->jnt_type[j]]; i++)
            dof[s->jnt_dofadr[j] + i] = w->jnt_dofadr[jnt[j]] + i;
    }
    if (s->neq > w->neq) return false;
    for (int i = 0; i < s->neq; i++) eq[i] = (int)(w->neq - s->neq) + i;
    return true;
}

// Writes what differs from the numbers; returns how much. derived: more has to be derived.
static int transfer(qi_mold *m, const mjModel *from, bool *derived, unsigned *changed) {
    int count = 0;
    for (int a = 0; a < NARRAY; a++) {
        const array *r = &arrays[a];
        const double *x = array_of(from, r);
        double *y = array_of(m->numbers, r);
        const double *first = array_of(m->world->mj, r);
        for (int i = 0; i < m->n[r->kind]; i++) {
            int k = m->map[r->kind][i];
            size_t n = (size_t)r->n, bytes = n * sizeof *x;
            if (k < 0) continue;
            bool moving = moves(m->numbers, r->kind, k);
            if (memcmp(x + (size_t)i * n, first + (size_t)k * n, bytes) != 0)
                *changed |= moving ? r->changed & QI_CAST_TREE : r->changed;
            if (memcmp(x + (size_t)i * n, y + (size_t)k * n, bytes) == 0) continue;
            count++;
            *derived |= r->derived && moving;
            memcpy(y + (size_t)k * n, x + (size_t)i * n, bytes);
        }
    }
    return count;
}

static bool proved(qi_mold *m) { // the scene alone and in the world have the same bits
    bool derived = false;
    unsigned changed = 0;
    return transfer(m, m->scene, &derived, &changed) == 0;
}

// ---- making and casting ----

// The drives' armatures go in (or, back, the file's). Whether that is a change.
static bool put_drives(const qi_mold *m, bool back) {
    const qiao_model *r = m->robot->model;
    bool differ = false;
    for (int i = 0; i < r->nu; i++) {
        int j = r->act_joint[i], k = j < 0 ? -1 : qiao_model_joint(m->world, r->jnt_name[j]);
        if (m->robot->drive[i].armature < 0 || k < 0) continue;
        int dof = m->numbers->jnt_dofadr[k];
        double a = back ? m->world->mj->dof_armature[dof] : m->robot->drive[i].armature;
        differ |= m->numbers->dof_armature[dof] != a;
        m->numbers->dof_armature[dof] = a;
    }
    return differ;
}

// As MuJoCo's compiler: the mean of the mass matrix' diagonal in the reference pose.
static double mean_inertia(const mjModel *m) {
    double sum = 0;
    for (int i = 0; i < m->nv; i++) sum += m->dof_M0[i];
    return m->nv ? sum / (double)m->nv : 0;
}

static void derive(qi_mold *m) {
    if (m->own) put_drives(m, true);
    mj_setConst(m->numbers, m->data);
    if (!m->fixed) m->numbers->stat.meaninertia = mean_inertia(m->numbers);
    if (!m->own) return;
    put_drives(m, false);
    mj_setConst(m->numbers, m->data);
}

static bool make_numbers(qi_mold *m) {
    const mjModel *w = m->world->mj;
    m->numbers = mj_copyModel(NULL, w);
    m->data = m->numbers ? qi_make_data(m->numbers) : NULL;
    m->q0 = qiao_arena_get(m->arena, ((size_t)w->nq + 1) * sizeof *m->q0);
    if (!m->data || !m->q0) return false;
    memcpy(m->q0, m->world->q0, (size_t)w->nq * sizeof *m->q0);
    m->fixed = mean_inertia(w) != w->stat.meaninertia;
    m->own = put_drives(m, false);
    if (m->own) mj_setConst(m->numbers, m->data);
    return true;
}

qi_mold *qi_mold_new(const qiao_robot *r, const char *xml, const double pos[3], double yaw,
                     qiao_diag *d) {
    qi_mold *m = calloc(1, sizeof *m);
    qiao_model *w = qiao_model_world(r, xml, pos, yaw, d);
    if (m && w && (m->arena = qiao_arena_new())) {
        m->robot = r, m->world = w, m->yaw = yaw;
        memcpy(m->pos, pos, sizeof m->pos);
        m->text = strdup(xml), m->first = strdup(xml);
        if (m->text && m->first && make_numbers(m)) {
            qiao_diag no = {0};
            m->scene = compile_alone(r, xml);
            if (m->scene && !(make_maps(m, &no) && proved(m)))
                mj_deleteModel(m->scene), m->scene = NULL;
            return m;
        }
    }
    if (m) m->world = w;
    if (!m) qiao_model_free(w);
    qi_mold_free(m);
    if (!d->err) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return NULL;
}

void qi_mold_free(qi_mold *m) {
    if (!m) return;
    mj_deleteData(m->data), mj_deleteModel(m->numbers), mj_deleteModel(m->scene);
    qiao_model_free(m->world), qiao_arena_free(m->arena);
    free(m->text), free(m->first), free(m);
}

// Two texts that differ in numbers only.
static bool same_words(const char *a, const char *b) {
    for (;;) {
        if (*a == *b && *a == 0) return true;
        size_t n = strspn(a, "0123456789.+-e"), k = strspn(b, "0123456789.+-e");
        if (n == 0 && k == 0) {
            if (*a++ != *b++) return false;
        } else {
            if (n == 0 || k == 0) return false;
            a += n, b += k;
        }
    }
}

bool qi_mold_cast(qi_mold *m, const char *xml, const double pos[3], double yaw) {
    if (memcmp(pos, m->pos, sizeof m->pos) != 0 || yaw != m->yaw) return false;
    if (strcmp(xml, m->text) == 0) return true;
    if (!m->scene || !same_words(xml, m->text)) return false;
    char *text = strdup(xml);
    mjModel *s = text ? compile_alone(m->robot, xml) : NULL;
    bool ok = s && same_ints(s, m->scene), derived = false;
    if (ok) {
        m->changed = 0;
        transfer(m, s, &derived, &m->changed);
        if (derived) derive(m);
        for (int i = 0; i < m->n[OF_Q]; i++) m->q0[m->map[OF_Q][i]] = s->qpos0[i];
        free(m->text);
        m->text = text, text = NULL;
    }
    mj_deleteModel(s), free(text);
    return ok;
}

const qiao_model *qi_mold_world(const qi_mold *m) { return m->world; }
const mjModel *qi_mold_numbers(const qi_mold *m) { return m->numbers; }
const double *qi_mold_q0(const qi_mold *m) { return m->q0; }
unsigned qi_mold_changed(const qi_mold *m) { return m->changed; }
