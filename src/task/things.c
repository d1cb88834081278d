// SPDX-License-Identifier: Apache-2.0
// things.c - tables, containers, persons; objects that move, and the tray on a robot's back.
#include "scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double plate = 0.005; // thickness of a container's floor and walls, m

static bool bad_size(qi_scene *s, const qi_obj *o) {
    for (int i = 0; i < 3; i++)
        if (!(o->size[i] >= 0.002 && o->size[i] <= 20)) {
            qi_fail(s->in->m, QIAO_E_FIT, o->decl->at,
                    "'%s' measures %.3g x %.3g x %.3g m, expected 0.002 to 20 m each way", o->path,
                    o->size[0], o->size[1], o->size[2]);
            return true;
        }
    return false;
}

static void read_size(qi_scene *s, qi_obj *o) {
    const qi_obj *z = qi_get_obj(s->in, o, "size");
    static const char *const axis[] = {"x", "y", "z"};
    for (int i = 0; z && i < 3; i++) o->size[i] = qi_get(s->in, z, axis[i]);
}

static void read_place(qi_scene *s, qi_obj *o) {
    const qi_obj *p = qi_get_obj(s->in, o, "position");
    static const char *const axis[] = {"x", "y", "z"};
    for (int i = 0; p && i < 3; i++) o->pos[i] = qi_get(s->in, p, axis[i]);
    o->yaw = qi_get(s->in, o, "yaw");
}

static bool build_table(qi_scene *s, qi_obj *o) {
    read_size(s, o), read_place(s, o);
    if (bad_size(s, o)) return false;
    qi_put(&s->world,
           "<body name=\"%s\" pos=\"%.17g %.17g %.17g\" euler=\"0 0 0\"><geom type=\"box\" "
           "class=\"thing\" friction=\"0.8 0.01 0.001\" size=\"%.17g %.17g %.17g\" "
           "rgba=\"0.75 0.68 0.58 1\"/></body>\n",
           o->path, o->pos[0], o->pos[1], o->pos[2] + o->size[2] / 2, o->size[0] / 2,
           o->size[1] / 2, o->size[2] / 2);
    return true;
}

// Floor and four walls around the inner size; the frame's origin is the middle of the floor's top.
static void put_walls(qi_scene *s, const qi_obj *o, const char *more, const char *rgba) {
    double x = o->size[0] / 2, y = o->size[1] / 2, z = o->size[2] / 2, t = plate / 2;
    const double wall[5][6] = {{0, 0, -t, x + plate, y + plate, t},
                               {x + t, 0, z, t, y + plate, z},
                               {-x - t, 0, z, t, y + plate, z},
                               {0, y + t, z, x, t, z},
                               {0, -y - t, z, x, t, z}};
    for (int i = 0; i < 5; i++)
        qi_put(&s->world,
               "<geom type=\"box\" class=\"thing\" friction=\"0.6 0.01 0.001\" pos=\"%.17g %.17g "
               "%.17g\" size=\"%.17g %.17g %.17g\" rgba=\"%s\" %s/>\n",
               wall[i][0], wall[i][1], wall[i][2], wall[i][3], wall[i][4], wall[i][5], rgba, more);
}

static const char *colour(qi_scene *s, const qi_obj *o) {
    static const struct {
        const char *name, *rgba;
    } all[] = {{"red", "0.82 0.25 0.22 1"},  {"green", "0.28 0.62 0.35 1"},
               {"blue", "0.2 0.42 0.78 1"},  {"yellow", "0.9 0.75 0.2 1"},
               {"orange", "0.9 0.5 0.18 1"}, {"grey", "0.6 0.62 0.65 1"},
               {"white", "0.92 0.92 0.9 1"}};
    const char *name = qi_get_enum(s->in, o, "colour");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) return all[i].rgba;
    return "0.6 0.62 0.65 1";
}

static bool build_container(qi_scene *s, qi_obj *o) {
    read_size(s, o), read_place(s, o);
    if (bad_size(s, o)) return false;
    o->pos[2] += plate;
    qi_put(&s->world, "<body name=\"%s\" pos=\"%.17g %.17g %.17g\" quat=\"%.17g 0 0 %.17g\">\n",
           o->path, o->pos[0], o->pos[1], o->pos[2], cos(o->yaw / 2), sin(o->yaw / 2));
    put_walls(s, o, "", colour(s, o));
    qi_put(&s->world, "</body>\n");
    s->c->box[s->c->nbox++] = o;
    return true;
}

static bool build_person(qi_scene *s, qi_obj *o) {
    read_place(s, o);
    double h = qi_get(s->in, o, "height");
    if (!(h > 0.5 && h < 2.5)) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at, "'%s': height is %.3g m, expected 0.5 to 2.5",
                o->path, h);
        return false;
    }
    qi_put(&s->world,
           "<body name=\"%s\" pos=\"%.17g %.17g %.17g\"><geom type=\"capsule\" class=\"thing\" "
           "size=\"0.18 %.17g\" rgba=\"0.85 0.65 0.5 1\"/></body>\n",
           o->path, o->pos[0], o->pos[1], o->pos[2] + h / 2, h / 2 - 0.18);
    return true;
}

// A tray rides on the robot: a free body welded to its base. It touches only what lies in it
// (bit 2), never the robot or the ground.
static bool build_tray(qi_scene *s, qi_obj *o) {
    const qiao_robot *r = s->c->robot;
    const double *q = s->c->base_quat, *off = r->payload_pos;
    read_size(s, o);
    if (bad_size(s, o)) return false;
    // world position of the payload's place: base + R(q) off
    double t[3], v[3] = {off[0], off[1], off[2] + plate};
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        t[i] = 2 * (q[1 + j] * v[k] - q[1 + k] * v[j]);
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        o->pos[i] = s->c->base[i] + v[i] + q[0] * t[i] + q[1 + j] * t[k] - q[1 + k] * t[j];
    }
    o->yaw = s->c->yaw;
    double mass = qi_get(s->in, o, "mass"), x = o->size[0], y = o->size[1];
    double z = o->size[2] / 2;
    qi_put(&s->world,
           "<body name=\"%s\" pos=\"%.17g %.17g %.17g\" quat=\"%.17g %.17g %.17g %.17g\">\n"
           "<freejoint name=\"%s\"/><inertial pos=\"0 0 0\" mass=\"%.17g\" diaginertia=\"%.17g "
           "%.17g %.17g\"/>\n",
           o->path, o->pos[0], o->pos[1], o->pos[2], q[0], q[1], q[2], q[3], o->path, mass,
           mass * (y * y + z * z) / 12, mass * (x * x + z * z) / 12, mass * (x * x + y * y) / 12);
    put_walls(s, o, "contype=\"2\" conaffinity=\"2\"", colour(s, o));
    qi_put(&s->world, "</body>\n");
    qi_put(
        &s->extra,
        "<equality><weld name=\"%s\" body1=\"%s\" body2=\"%s\" relpose=\"%.17g %.17g %.17g 1 0 0 "
        "0\" solref=\"0.006 1\" solimp=\"0.98 0.999 0.001\"/></equality>\n",
        o->path, r->model->body_name[r->base], o->path, v[0], v[1], v[2]);
    s->c->box[s->c->nbox++] = o;
    return true;
}

// ---- objects ----

// Start of an object: a cell of a container's grid, or its own position; standing on its base.
static bool place_object(qi_scene *s, qi_obj *o) {
    const qi_obj *in = qi_get_obj(s->in, o, "lies_in");
    if (!in) {
        read_place(s, o);
        o->pos[2] += o->size[2] / 2;
        return true;
    }
    int cols = (int)qi_get(s->in, in, "columns"), rows = (int)qi_get(s->in, in, "rows");
    int cell = (int)qi_get(s->in, o, "cell");
    if (cols < 1 || rows < 1 || cell >= cols * rows) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at, "'%s' is in cell %d of '%s', which has %d x %d",
                o->path, cell, in->path, cols, rows);
        return false;
    }
    double x = (cell % cols + 0.5) * in->size[0] / cols - in->size[0] / 2 + qi_get(s->in, o, "dx");
    double y = (cell / cols + 0.5) * in->size[1] / rows - in->size[1] / 2 + qi_get(s->in, o, "dy");
    double c = cos(in->yaw), n = sin(in->yaw);
    o->pos[0] = in->pos[0] + c * x - n * y, o->pos[1] = in->pos[1] + n * x + c * y;
    o->pos[2] = in->pos[2] + o->size[2] / 2 + 0.001;
    o->yaw = in->yaw + qi_get(s->in, o, "yaw");
    return true;
}

static const char *read_shape(qi_scene *s, qi_obj *o) {
    if (qi_is_a(o->decl, "ball")) {
        o->size[0] = o->size[1] = o->size[2] = 2 * qi_get(s->in, o, "radius");
        return "sphere";
    }
    if (qi_is_a(o->decl, "can")) {
        o->size[0] = o->size[1] = 2 * qi_get(s->in, o, "radius");
        o->size[2] = qi_get(s->in, o, "height");
        return "cylinder";
    }
    if (qi_is_a(o->decl, "cube"))
        o->size[0] = o->size[1] = o->size[2] = qi_get(s->in, o, "edge");
    else
        read_size(s, o);
    return "box";
}

// A plate of its own colour on each face of a cube, for the eye only.
static void put_faces(qi_scene *s, double edge) {
    static const char *const rgba[] = {"0.82 0.25 0.22 1", "0.9 0.5 0.18 1", "0.28 0.62 0.35 1",
                                       "0.2 0.42 0.78 1",  "0.9 0.75 0.2 1", "0.92 0.92 0.9 1"};
    double h = edge / 2, w = 0.84 * h, t = 0.01 * h;
    for (int i = 0; i < 6; i++) {
        int axis = i / 2;
        double p[3] = {0}, z[3] = {w, w, w};
        p[axis] = i % 2 ? -h : h, z[axis] = t;
        qi_put(&s->world,
               "<geom type=\"box\" group=\"2\" contype=\"0\" conaffinity=\"0\" mass=\"0\" "
               "pos=\"%.17g %.17g %.17g\" size=\"%.17g %.17g %.17g\" rgba=\"%s\"/>\n",
               p[0], p[1], p[2], z[0], z[1], z[2], rgba[i]);
    }
}

// Turned by yaw, then pitch, then roll, each about the axes that the one before left.
static void read_attitude(qi_scene *s, qi_obj *o) {
    o->quat[0] = cos(o->yaw / 2), o->quat[3] = sin(o->yaw / 2);
    if (!qi_is_a(o->decl, "cube")) return;
    double q[4], r = qi_get(s->in, o, "roll") / 2, c = cos(r), n = sin(r), *p = o->quat;
    qi_quat_yaw_pitch(o->yaw, qi_get(s->in, o, "pitch"), q);
    p[0] = q[0] * c - q[1] * n, p[1] = q[0] * n + q[1] * c;
    p[2] = q[2] * c + q[3] * n, p[3] = q[3] * c - q[2] * n;
}

// A cube to turn: its contacts slide and twist as in the maker's scene of such a hand.
static void put_cube(qi_scene *s, const qi_obj *o, double mass, double mu) {
    double h = o->size[0] / 2;
    qi_put(
        &s->world,
        "<body name=\"%s\" pos=\"%.17g %.17g %.17g\" quat=\"%.17g %.17g %.17g %.17g\"><freejoint "
        "name=\"%s\"/><geom name=\"%s\" type=\"box\" size=\"%.17g %.17g %.17g\" "
        "mass=\"%.17g\" condim=\"3\" friction=\"%.17g 0.05 0.0001\" contype=\"3\" "
        "conaffinity=\"3\" rgba=\"0.12 0.13 0.15 1\"/>\n",
        o->path, o->pos[0], o->pos[1], o->pos[2], o->quat[0], o->quat[1], o->quat[2], o->quat[3],
        o->path, o->path, h, h, h, mass, mu);
    put_faces(s, o->size[0]);
    qi_put(&s->world, "</body>\n");
}

// Shows an orientation: a cube that hangs in the air on a ball joint and touches nothing.
static bool build_marker(qi_scene *s, qi_obj *o) {
    double edge = qi_get(s->in, o, "edge"), h = edge / 2;
    read_place(s, o);
    o->size[0] = o->size[1] = o->size[2] = edge;
    if (bad_size(s, o)) return false;
    qi_put(&s->world,
           "<body name=\"%s\" pos=\"%.17g %.17g %.17g\"><joint name=\"%s\" type=\"ball\"/>"
           "<inertial pos=\"0 0 0\" mass=\"0.1\" diaginertia=\"0.001 0.001 0.001\"/>"
           "<geom type=\"box\" group=\"2\" contype=\"0\" conaffinity=\"0\" size=\"%.17g %.17g "
           "%.17g\" rgba=\"0.12 0.13 0.15 1\"/>\n",
           o->path, o->pos[0], o->pos[1], o->pos[2] + h, o->path, h, h, h);
    put_faces(s, edge);
    qi_put(&s->world, "</body>\n");
    return true;
}

static bool build_object(qi_scene *s, qi_obj *o) {
    const char *shape = read_shape(s, o);
    double mass = qi_get(s->in, o, "mass"), mu = qi_get(s->in, o, "friction");
    double h[3] = {o->size[0] / 2, o->size[1] / 2, o->size[2] / 2};
    if (shape[0] == 'c') h[1] = h[2], h[2] = 0;
    if (shape[0] == 's') h[1] = h[2] = 0;
    if (bad_size(s, o) || !place_object(s, o)) return false;
    if (!(mass >= 0.001 && mass <= 1000 && mu >= 0 && mu <= 5)) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at,
                "'%s': mass %.3g kg, friction %.3g; expected 0.001 to 1000 kg and 0 to 5", o->path,
                mass, mu);
        return false;
    }
    read_attitude(s, o);
    s->c->thing[s->c->nthing++] = o;
    if (qi_is_a(o->decl, "cube")) return put_cube(s, o, mass, mu), true;
    qi_put(&s->world,
           "<body name=\"%s\" pos=\"%.17g %.17g %.17g\" quat=\"%.17g 0 0 %.17g\"><freejoint "
           "name=\"%s\"/><geom name=\"%s\" type=\"%s\" class=\"thing\" size=\"%.17g %.17g %.17g\" "
           "mass=\"%.17g\" condim=\"6\" friction=\"%.17g 0.01 %.17g\" contype=\"3\" "
           "conaffinity=\"3\" rgba=\"%s\"/></body>\n",
           o->path, o->pos[0], o->pos[1], o->pos[2], cos(o->yaw / 2), sin(o->yaw / 2), o->path,
           o->path, shape, h[0], h[1], h[2], mass, mu, shape[0] == 's' ? 0.002 : 0.0005,
           colour(s, o));
    return true;
}

typedef struct builder {
    const char *type;
    bool (*build)(qi_scene *s, qi_obj *o);
} builder;

// In the order of the file, each by the first type of the table that it inherits.
static bool build_all(qi_scene *s, const builder *table) {
    qi_obj *root = s->in->root;
    for (int i = 0; i < root->decl->nfield; i++) {
        const qi_field *f = root->decl->field[i];
        qi_obj *o = root->slot[i].val.o;
        if (f->type->kind != QI_OBJ || f->implicit || !o) continue;
        if (strcmp(o->path, f->name) != 0) continue; // a reference to another field's object
        for (const builder *b = table; b->type; b++)
            if (qi_is_a(o->decl, b->type)) {
                if (!b->build(s, o)) return false;
                break;
            }
    }
    return true;
}

static bool skip_tray(qi_scene *s, qi_obj *o) {
    (void)s, (void)o;
    return true;
}

bool qi_build_things(qi_scene *s) {
    static const builder table[] = {{"table", build_table},
                                    {"person", build_person},
                                    {"tray", skip_tray}, // once the robot has its place
                                    {"container", build_container},
                                    {NULL, NULL}};
    return build_all(s, table);
}

bool qi_build_movables(qi_scene *s) {
    static const builder trays[] = {{"tray", build_tray}, {NULL, NULL}};
    static const builder table[] = {
        {"movable_object", build_object}, {"marker", build_marker}, {NULL, NULL}};
    return build_all(s, trays) && build_all(s, table);
}
