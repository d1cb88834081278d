// SPDX-License-Identifier: Apache-2.0
// scene.c - the world without the robot as MJCF text, and where the robot stands in it.
#include "scene.h"
#include "qiao/dyn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 8 << 20 };

void qi_put(qi_text *t, const char *fmt, ...) {
    if (t->bad) return;
    for (int again = 0; again < 2; again++) {
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(t->s ? t->s + t->n : NULL, t->s ? t->cap - t->n : 0, fmt, ap);
        va_end(ap);
        if (n < 0) break;
        if (t->n + (size_t)n < t->cap) {
            t->n += (size_t)n;
            return;
        }
        size_t cap = t->cap ? t->cap * 2 : 4096;
        while (cap <= t->n + (size_t)n) cap *= 2;
        char *s = cap <= TEXT_MAX ? qiao_arena_get(t->a, cap) : NULL;
        if (!s) break;
        if (t->n) memcpy(s, t->s, t->n);
        t->s = s, t->cap = cap;
    }
    t->bad = true;
}

void qi_quat_yaw_pitch(double yaw, double pitch, double q[4]) {
    double cy = cos(yaw / 2), sy = sin(yaw / 2), cp = cos(pitch / 2), sp = sin(pitch / 2);
    q[0] = cy * cp, q[1] = -sy * sp, q[2] = cy * sp, q[3] = sy * cp;
}

// The drawn friction is the effective one: terrain has the highest priority of all geoms.
void qi_put_box(qi_scene *s, const char *name, const double p[3], const double h[3], double yaw,
                double pitch, const char *rgba) {
    double q[4];
    qi_quat_yaw_pitch(yaw, pitch, q);
    char made[32];
    if (!name) snprintf(made, sizeof made, "ground_%d", ++s->nbox), name = made;
    qi_put(&s->world,
           "<geom name=\"%s\" type=\"box\" class=\"terrain\" pos=\"%.17g %.17g %.17g\" "
           "quat=\"%.17g %.17g %.17g %.17g\" size=\"%.17g %.17g %.17g\" rgba=\"%s\"/>\n",
           name, p[0], p[1], p[2], q[0], q[1], q[2], q[3], h[0], h[1], h[2], rgba);
}

static bool build_environment(qi_scene *s, qi_obj *o) {
    s->friction = qi_get(s->in, o, "friction");
    if (s->friction > 0.01 && s->friction <= 5) return true;
    qi_fail(s->in->m, QIAO_E_FIT, o->decl->at, "'%s': friction is %.3g, expected 0.01 to 5",
            o->path, s->friction);
    return false;
}

// Everything of one library type among the scenario's fields.
static bool for_each(qi_scene *s, const char *type, bool (*build)(qi_scene *, qi_obj *)) {
    const qi_obj *root = s->in->root;
    for (int i = 0; i < root->decl->nfield; i++) {
        const qi_field *f = root->decl->field[i];
        if (f->type->kind != QI_OBJ || f->implicit || f->type->obj->kind != D_ACTOR) continue;
        qi_obj *o = root->slot[i].val.o;
        if (!o || strcmp(o->path, f->name) != 0) continue; // a reference
        if (qi_is_a(o->decl, type) && !build(s, o)) return false;
    }
    return true;
}

// How far a primitive reaches down from its centre; up is the world's z in its own axes.
static double reach_down(int type, const double size[3], const double up[3]) {
    enum { SPHERE = 2, CAPSULE, ELLIPSOID, CYLINDER, BOX }; // mjtGeom
    double x = size[0] * up[0], y = size[1] * up[1], z = size[2] * up[2];
    switch (type) {
    case SPHERE: return size[0];
    case CAPSULE: return size[0] + size[1] * fabs(up[2]);
    case ELLIPSOID: return sqrt(x * x + y * y + z * z);
    case CYLINDER: return size[0] * hypot(up[0], up[1]) + size[1] * fabs(up[2]);
    case BOX: return fabs(x) + fabs(y) + fabs(z);
    }
    return 0; // a mesh: its centre, the foot's site is lower
}

// Lowest point of the primitives of a foot's body in the pose that dyn has.
static double sole(const qiao_dyn *dyn, const qiao_model *m, int body) {
    double p[3], R[9], low = INFINITY;
    if (qiao_dyn_body(dyn, body, p, R)) return low;
    for (int g = 0; g < m->ngeom; g++) {
        if (m->geom_body[g] != body) continue;
        const double *q = m->geom_quat + 4 * g, *c = m->geom_pos + 3 * g;
        // the world's z in the body's axes, then in the geom's
        double w = q[0], x = q[1], y = q[2], z = q[3], b[3] = {R[6], R[7], R[8]};
        double up[3] = {(1 - 2 * (y * y + z * z)) * b[0] + 2 * (x * y + w * z) * b[1] +
                            2 * (x * z - w * y) * b[2],
                        2 * (x * y - w * z) * b[0] + (1 - 2 * (x * x + z * z)) * b[1] +
                            2 * (y * z + w * x) * b[2],
                        2 * (x * z + w * y) * b[0] + 2 * (y * z - w * x) * b[1] +
                            (1 - 2 * (x * x + y * y)) * b[2]};
        double at = p[2] + b[0] * c[0] + b[1] * c[1] + b[2] * c[2];
        low = fmin(low, at - reach_down(m->geom_type[g], m->geom_size + 3 * g, up));
    }
    return low;
}

// Lowest point of the feet in the rest pose, from the model's origin: how high the base stands.
static bool rest_height(const qiao_robot *r, double *low, qiao_diag *d) {
    *low = 0;
    if (r->nfoot == 0) return true;
    size_t n = qiao_dyn_size(r->model);
    void *mem = n ? aligned_alloc(64, (n + 63) / 64 * 64) : NULL;
    qiao_dyn *dyn = mem ? qiao_dyn_init(r->model, mem, d) : NULL;
    bool ok = dyn && qiao_dyn_kinematics(dyn, r->rest_q) == QIAO_OK;
    double best = INFINITY;
    for (int i = 0; ok && i < r->nfoot; i++) {
        double p[3];
        if (qiao_dyn_site(dyn, r->foot_site[i], p, NULL, NULL, NULL)) continue;
        int body = r->model->site_body[r->foot_site[i]];
        best = fmin(best, fmin(p[2], sole(dyn, r->model, body)));
    }
    free(mem);
    if (!ok || !isfinite(best)) {
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the rest pose of robot '%s' has no feet",
                      r->name);
        return false;
    }
    *low = best;
    return true;
}

static bool is_floating(const qiao_robot *r) {
    const qiao_model *m = r->model;
    return m->body_jntnum[r->base] > 0 && m->jnt_type[m->body_jntadr[r->base]] == QIAO_JOINT_FREE;
}

// Where the robot stands: on its route's start, else at its place. room model adds the rest
// pose's own height to z, so z here lifts the lowest foot onto the ground.
static bool place_robot(qi_scene *s) {
    qiao_case *c = s->c;
    const qiao_robot *r = c->robot;
    const qi_obj *place = qi_get_obj(s->in, c->role, "position"),
                 *on = qi_get_obj(s->in, c->role, "on_route");
    if (on && on->data) {
        const qi_route *route = on->data;
        qi_route_at(route, route->start, c->pos, &c->yaw);
    } else {
        c->pos[0] = qi_get(s->in, place, "x"), c->pos[1] = qi_get(s->in, place, "y");
        c->pos[2] = qi_get(s->in, place, "z"), c->yaw = qi_get(s->in, c->role, "yaw");
    }
    double low;
    if (!rest_height(r, &low, s->d)) return false;
    if (r->nfoot > 0) c->pos[2] += 0.002 - low;
    double turn[4] = {cos(c->yaw / 2), 0, 0, sin(c->yaw / 2)}, *q = c->base_quat;
    double rest[4] = {1, 0, 0, 0};
    memcpy(c->base, c->pos, sizeof c->base);
    if (is_floating(r)) {
        const double *q0 = r->rest_q + r->model->jnt_qadr[r->model->body_jntadr[r->base]];
        c->base[2] += q0[2], memcpy(rest, q0 + 3, sizeof rest);
    }
    q[0] = turn[0] * rest[0] - turn[3] * rest[3], q[1] = turn[0] * rest[1] - turn[3] * rest[2];
    q[2] = turn[0] * rest[2] + turn[3] * rest[1], q[3] = turn[0] * rest[3] + turn[3] * rest[0];
    return true;
}

// A robot that is held: its floating base is welded to the world where it stands, and hangs from a
// rod that touches nothing.
static void hold_robot(qi_scene *s) {
    const qiao_case *c = s->c;
    const qiao_robot *r = c->robot;
    if (!qi_is_a(c->role->decl, "varied_robot") || !qi_get(s->in, c->role, "held")) return;
    if (!is_floating(r)) return; // bolted down already
    const double *q = c->base_quat;
    double t[3], p[3]; // the world as the base sees it: turned back
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        t[i] = 2 * (q[1 + k] * c->base[j] - q[1 + j] * c->base[k]);
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        p[i] = -(c->base[i] + q[0] * t[i] + q[1 + k] * t[j] - q[1 + j] * t[k]);
    }
    qi_put(&s->extra,
           "<equality><weld name=\"held\" body1=\"%s\" relpose=\"%.17g %.17g %.17g %.17g %.17g "
           "%.17g %.17g\" solref=\"0.006 1\" solimp=\"0.98 0.999 0.001\"/></equality>\n",
           r->model->body_name[r->base], p[0], p[1], p[2], q[0], -q[1], -q[2], -q[3]);
    qi_put(&s->world,
           "<geom name=\"rod\" type=\"capsule\" size=\"0.012\" fromto=\"%.17g %.17g %.17g %.17g "
           "%.17g %.17g\" contype=\"0\" conaffinity=\"0\" rgba=\"0.35 0.38 0.42 1\"/>\n",
           c->base[0], c->base[1], c->base[2], c->base[0], c->base[1], c->base[2] + 1);
}

bool qi_scene_build(qiao_case *c, qiao_diag *d) {
    qi_scene s = {.c = c, .in = c->in, .d = d, .friction = 0.8};
    s.world.a = s.extra.a = c->a;
    c->in->m->d = d;
    size_t most = (size_t)c->in->root->decl->nfield + 1;
    c->thing = qiao_arena_get(c->a, most * sizeof *c->thing);
    c->box = qiao_arena_get(c->a, most * sizeof *c->box);
    if (!c->thing || !c->box) return false;
    if (!for_each(&s, "environment", build_environment) || !for_each(&s, "route", qi_build_route) ||
        !qi_build_things(&s) || !place_robot(&s) || !qi_build_movables(&s))
        return false;
    hold_robot(&s);
    qi_text all = {.a = c->a};
    qi_put(
        &all,
        "<mujoco model=\"%s\">\n<default>\n<default class=\"terrain\"><geom friction=\"%.17g "
        "0.02 0.01\" priority=\"2\" condim=\"3\" contype=\"1\" conaffinity=\"1\"/></default>\n"
        "<default class=\"thing\"><geom condim=\"4\" contype=\"1\" conaffinity=\"1\"/></default>\n"
        "</default>\n<worldbody>\n"
        "<light pos=\"0 0 6\" dir=\"0.2 0.2 -1\" directional=\"true\" diffuse=\"0.6 0.6 0.6\"/>\n"
        "<geom name=\"floor\" type=\"plane\" class=\"terrain\" size=\"0 0 0.1\" "
        "rgba=\"0.78 0.8 0.82 1\"/>\n%s</worldbody>\n%s</mujoco>\n",
        s.in->m->main->name, s.friction, s.world.s ? s.world.s : "", s.extra.s ? s.extra.s : "");
    if (s.world.bad || s.extra.bad || all.bad) {
        qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0, "the scene of %s is too large, at most 8 MiB",
                      s.in->m->main->name);
        return false;
    }
    c->scene = all.s;
    return !c->in->failed;
}
