// SPDX-License-Identifier: Apache-2.0
// scene.c - the drawn geometry of a world as ROS markers.
#include "rec/scene.h"

#include <stdio.h>

// MuJoCo's mjtGeom; this room does not know MuJoCo
enum {
    PLANE = 0,
    HFIELD = 1,
    SPHERE = 2,
    CAPSULE = 3,
    ELLIPSOID = 4,
    CYLINDER = 5,
    BOX = 6,
    MESH = 7
};
enum { DRAWN_GROUPS = 3 };

bool qi_body_moves(const qiao_model *m, int body) {
    for (int b = body; b > 0; b = m->body_parent[b])
        if (m->body_jntnum[b] > 0) return true;
    return false;
}

const char *qi_body_frame(const qiao_model *m, int body, char *buf) {
    if (body == 0) return "world";
    if (m->body_name[body][0]) return m->body_name[body];
    snprintf(buf, 64, "body_%d", body);
    return buf;
}

static void turn(const double q[4], const double v[3], double out[3]) {
    double t[3] = {2 * (q[2] * v[2] - q[3] * v[1]), 2 * (q[3] * v[0] - q[1] * v[2]),
                   2 * (q[1] * v[1] - q[2] * v[0])};
    out[0] = v[0] + q[0] * t[0] + q[2] * t[2] - q[3] * t[1];
    out[1] = v[1] + q[0] * t[1] + q[3] * t[0] - q[1] * t[2];
    out[2] = v[2] + q[0] * t[2] + q[1] * t[1] - q[2] * t[0];
}

static void chain(const double a[4], const double b[4], double out[4]) {
    double r[4] = {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
                   a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
                   a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
                   a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
    memcpy(out, r, sizeof r);
}

void qi_body_rest(const qiao_model *m, double *pos, double *quat) {
    memset(pos, 0, 3 * sizeof *pos);
    memcpy(quat, (double[4]){1}, 4 * sizeof *quat);
    for (int b = 1; b < m->nbody; b++) {
        int up = m->body_parent[b];
        double p[3];
        turn(quat + 4 * up, m->body_pos + 3 * b, p);
        for (int i = 0; i < 3; i++) pos[3 * b + i] = pos[3 * up + i] + p[i];
        chain(quat + 4 * up, m->body_quat + 4 * b, quat + 4 * b);
    }
}

static void write_quat(qi_cdr_out *o, const double q[4]) { // ROS: x y z w
    qi_cdr_f64s(o, q + 1, 3);
    qi_cdr_f64(o, q[0]);
}

void qi_marker_write(qi_cdr_out *o, const qi_marker *m) {
    qi_cdr_time(o, m->t_ns);
    qi_cdr_text(o, m->frame);
    qi_cdr_text(o, m->ns);
    qi_cdr_i32(o, m->id);
    qi_cdr_i32(o, m->type);
    qi_cdr_i32(o, 0); // action: add
    qi_cdr_f64s(o, m->pos, 3);
    write_quat(o, m->quat);
    qi_cdr_f64s(o, m->scale, 3);
    qi_cdr_put(o, m->rgba, 4, 4);
    qi_cdr_time(o, 0); // lifetime: for ever
    qi_cdr_u8(o, m->locked);
    qi_cdr_i32(o, m->npoint);
    qi_cdr_f64s(o, m->point, 3 * m->npoint);
    qi_cdr_i32(o, 0);   // colors
    qi_cdr_text(o, ""); // texture_resource
    qi_cdr_time(o, 0);  // texture: header, format, data
    qi_cdr_text(o, ""), qi_cdr_text(o, "");
    qi_cdr_i32(o, 0);
    qi_cdr_i32(o, 0); // uv_coordinates
    qi_cdr_text(o, m->text);
    qi_cdr_text(o, ""); // mesh_resource
    qi_cdr_text(o, ""); // mesh_file: filename, data
    qi_cdr_i32(o, 0);
    qi_cdr_u8(o, 0); // mesh_use_embedded_materials
}

typedef struct writer {
    const qiao_model *m;
    qi_cdr_out *o;
    int count;
    char frame[64];
} writer;

static void add(writer *w, qi_marker *k, int type, double x, double y, double z) {
    k->type = type, k->id = w->count++;
    k->scale[0] = x, k->scale[1] = y, k->scale[2] = z;
    qi_marker_write(w->o, k);
}

// The ends of a capsule lie at +-half along its z.
static void add_capsule(writer *w, qi_marker *k, double r, double half) {
    add(w, k, QI_MARKER_CYLINDER, 2 * r, 2 * r, 2 * half);
    double middle[3], up[3];
    memcpy(middle, k->pos, sizeof middle);
    turn(k->quat, (double[3]){0, 0, half}, up);
    for (int end = -1; end <= 1; end += 2) {
        for (int i = 0; i < 3; i++) k->pos[i] = middle[i] + end * up[i];
        add(w, k, QI_MARKER_SPHERE, 2 * r, 2 * r, 2 * r);
    }
}

static qiao_err add_triangles(writer *w, qi_marker *k, const qiao_shape *s) {
    double *point = malloc((size_t)s->nface * 9 * sizeof *point + 1);
    if (!point) return QIAO_E_MEM;
    for (int i = 0; i < 3 * s->nface; i++)
        for (int x = 0; x < 3; x++) point[3 * i + x] = (double)s->vert[3 * s->face[i] + x];
    k->npoint = 3 * s->nface, k->point = point;
    add(w, k, QI_MARKER_TRIANGLES, 1, 1, 1);
    free(point);
    return QIAO_OK;
}

static qiao_err add_geom(writer *w, int g) {
    const qiao_model *m = w->m;
    const double *s = m->geom_size + 3 * g;
    qiao_shape shape;
    qiao_err e = qiao_model_shape(m, g, &shape);
    if (e) return e;
    static const char *const kind[] = {"plane",     "terrain",  "sphere", "capsule",
                                       "ellipsoid", "cylinder", "box",    "mesh"};
    int type = m->geom_type[g];
    qi_marker k = {.frame = qi_body_frame(m, m->geom_body[g], w->frame), .locked = true};
    k.ns = k.frame;
    k.text = type >= 0 && type <= MESH ? kind[type] : "";
    memcpy(k.pos, m->geom_pos + 3 * g, sizeof k.pos);
    memcpy(k.quat, m->geom_quat + 4 * g, sizeof k.quat);
    memcpy(k.rgba, shape.rgba, sizeof k.rgba);
    switch (k.rgba[3] > 0 ? type : -1) {
    case PLANE: // 0 is without end; 100 m will do
        add(w, &k, QI_MARKER_CUBE, s[0] > 0 ? 2 * s[0] : 100, s[1] > 0 ? 2 * s[1] : 100, 1e-3);
        break;
    case SPHERE: add(w, &k, QI_MARKER_SPHERE, 2 * s[0], 2 * s[0], 2 * s[0]); break;
    case CAPSULE: add_capsule(w, &k, s[0], s[1]); break;
    case ELLIPSOID: add(w, &k, QI_MARKER_SPHERE, 2 * s[0], 2 * s[1], 2 * s[2]); break;
    case CYLINDER: add(w, &k, QI_MARKER_CYLINDER, 2 * s[0], 2 * s[0], 2 * s[1]); break;
    case BOX: add(w, &k, QI_MARKER_CUBE, 2 * s[0], 2 * s[1], 2 * s[2]); break;
    case HFIELD:
    case MESH: e = add_triangles(w, &k, &shape); break;
    default: break;
    }
    free(shape.vert), free(shape.face);
    return e;
}

qiao_err qi_scene_write(const qiao_model *m, qi_cdr_out *o) {
    writer w = {m, o, 0, ""};
    qi_cdr_begin(o);
    qi_cdr_i32(o, 0);
    for (int g = 0; g < m->ngeom; g++) {
        qiao_err e = m->geom_group[g] < DRAWN_GROUPS ? add_geom(&w, g) : QIAO_OK;
        if (e) return e;
    }
    if (o->failed) return QIAO_E_MEM;
    int32_t n = w.count;
    memcpy(o->p + 4, &n, 4); // now known
    return QIAO_OK;
}
