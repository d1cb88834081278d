// SPDX-License-Identifier: Apache-2.0
// grasp.c - ways to take a thing from above and to put it down, scored by the room around the
// hand. A box is taken across a side, a can across its axis, a ball anyhow.
#include "pick.h"

#define PI 3.14159265358979323846

// Distance between a rectangle r and an outline seen from above, at least; below 0 they overlap.
// Rectangles: the widest gap along the four side directions (separating axes).
static double gap(const outline *r, const outline *o) {
    double s, c, dx = o->x - r->x, dy = o->y - r->y, best = -1e9;
    qi_sincos(r->yaw, &s, &c);
    double u = c * dx + s * dy, v = -s * dx + c * dy;
    if (o->half[1] < 0) { // a disc
        double ox = fabs(u) - r->half[0], oy = fabs(v) - r->half[1];
        double out = sqrt(fmax(ox, 0) * fmax(ox, 0) + fmax(oy, 0) * fmax(oy, 0));
        return out + fmin(fmax(ox, oy), 0) - o->half[0];
    }
    double sr, cr;
    qi_sincos(o->yaw - r->yaw, &sr, &cr);
    sr = fabs(sr), cr = fabs(cr);
    best = fmax(best, fabs(u) - r->half[0] - o->half[0] * cr - o->half[1] * sr);
    best = fmax(best, fabs(v) - r->half[1] - o->half[0] * sr - o->half[1] * cr);
    qi_sincos(o->yaw, &s, &c);
    u = c * dx + s * dy, v = -s * dx + c * dy;
    best = fmax(best, fabs(u) - o->half[0] - r->half[0] * cr - r->half[1] * sr);
    return fmax(best, fabs(v) - o->half[1] - r->half[0] * sr - r->half[1] * cr);
}

static double len2(double x, double y) { return sqrt(x * x + y * y); }

// The four walls of a container; walls are taken for 1 cm thick.
static outline wall(const box *c, int k) {
    const double thick = 0.005;
    double s, n, side = k & 1 ? -1 : 1, x = 0, y = 0;
    outline o = {.yaw = c->yaw, .bottom = c->pos[2], .top = c->pos[2] + c->size[2]};
    if (k < 2)
        x = side * (c->size[0] / 2 + thick), o.half[0] = thick, o.half[1] = c->size[1] / 2 + thick;
    else
        y = side * (c->size[1] / 2 + thick), o.half[0] = c->size[0] / 2 + thick, o.half[1] = thick;
    qi_sincos(c->yaw, &s, &n);
    o.x = c->pos[0] + n * x - s * y, o.y = c->pos[1] + s * x + n * y;
    return o;
}

// Room around a part of the hand whose underside is at z.
static double part_room(const mind *m, const outline *part, double z, int skip) {
    double room = 1;
    for (int i = 0; i < m->nthing; i++) {
        outline o = see_outline(&m->thing[i]);
        if (i != skip && o.top > z) room = fmin(room, gap(part, &o));
    }
    for (int i = 0; i < m->nbox; i++)
        for (int k = 0; k < 4; k++) {
            outline o = wall(&m->box[i], k);
            if (o.top > z) room = fmin(room, gap(part, &o));
        }
    return room;
}

// Room around the hand at x, y, z, turn with its fingers open, m; below 0: it would hit something.
static double hand_room(const mind *m, const double at[4], double open, int skip) {
    double s, c, room;
    qi_sincos(at[3], &s, &c);
    outline part = {.x = at[0], .y = at[1], .half = {PALM_X, PALM_Y}, .yaw = at[3]};
    room = part_room(m, &part, at[2] + PALM - 0.004, skip);
    part.half[0] = FINGER_X, part.half[1] = FINGER_Y;
    for (int side = -1; side <= 1; side += 2) {
        double off = side * (open / 2 + FINGER_Y);
        part.x = at[0] + s * off, part.y = at[1] - c * off;
        room = fmin(room, part_room(m, &part, at[2] - TIP - 0.002, skip));
    }
    return room;
}

double grasp_neutral(const pick *b, double x, double y) { return b->turn0 + qi_atan2(y, x); }

// The turn whose opening lies along angle (either way round), nearest to the wrist's liking.
static double turn_for(const pick *b, double x, double y, double angle) {
    double like = grasp_neutral(b, x, y), t = angle + PI / 2 - like;
    return like + t - PI * floor(t / PI + 0.5);
}

// Angles along which the hand may close on the thing, and the width there; count returned.
static int directions(const thing *t, double angle[8], double width[8]) {
    double R[9];
    outline o = see_outline(t);
    rot_quat(R, t->quat);
    if (t->shape == BALL || (t->shape == CYLINDER && fabs(R[8]) > 0.7)) {
        for (int k = 0; k < 8; k++) angle[k] = k * PI / 8, width[k] = t->size[0];
        return 8;
    }
    if (t->shape == CYLINDER) return angle[0] = o.yaw + PI / 2, width[0] = t->size[0], 1;
    angle[0] = o.yaw, width[0] = 2 * o.half[0];
    angle[1] = o.yaw + PI / 2, width[1] = 2 * o.half[1];
    return 2;
}

// How far above the lowest good height a thing may be taken: fingers still hold 7 mm of it.
static double headroom(const thing *t, const outline *o, double z) {
    return t->shape == BALL ? 0.003 : fmax(0, o->top - (z - TIP) - 0.007);
}

grasp grasp_thing(const pick *b, const mind *m, int i) {
    enum { HEIGHTS = 4, OPENINGS = 3, WAYS = OPENINGS * HEIGHTS };
    const thing *t = &m->thing[i];
    outline o = see_outline(t);
    grasp best = {.thing = i, .score = -1};
    double angle[8], width[8];
    int n = directions(t, angle, width);
    // the middle, but fingertips off the ground and the palm off the top
    double z = fmax(t->pos[2], fmax(o.bottom + TIP + 0.004, o.top - PALM + 0.006));
    for (int k = 0; k < n * WAYS; k++) {
        int dir = k / WAYS, wide = k % OPENINGS, high = k % WAYS / OPENINGS;
        grasp g = {.thing = i, .width = width[dir]};
        g.open = fmin(width[dir] + 0.01 * (wide + 1), b->open_max);
        if (g.open < width[dir] + 0.006) continue;
        set3(g.at, o.x, o.y, z + headroom(t, &o, z) * high / (HEIGHTS - 1));
        g.at[3] = turn_for(b, o.x, o.y, angle[dir]), g.below = g.at[2] - o.bottom;
        double off = fabs(g.at[3] - grasp_neutral(b, o.x, o.y));
        // room past 1.5 cm is worth nothing; a strained wrist, a high or a wide grasp cost some
        g.score = fmin(hand_room(m, g.at, g.open, i), 0.015) - 0.002 * off + 0.001 * wide -
                  0.002 * high - 0.02 * width[dir];
        if (g.score > best.score) best = g;
    }
    return best;
}

double grasp_place(const pick *b, const mind *m, double at[4]) {
    const thing *t = &m->thing[m->g.thing];
    const box *c = &m->box[t->into];
    double s, n, best = -1e9, open = fmin(m->g.width + 0.02, b->open_max);
    qi_sincos(c->yaw, &s, &n);
    for (int k = 0; k < 25; k++) {
        // a 5 x 5 grid over the middle of the floor
        double u = (k % 5 - 2) * 0.125 * c->size[0], v = (k / 5 - 2) * 0.125 * c->size[1];
        double p[4] = {c->pos[0] + n * u - s * v, c->pos[1] + s * u + n * v, 0, 0};
        for (int r = -3; r <= 3; r++) {
            p[3] = grasp_neutral(b, p[0], p[1]) + r * PI / 8;
            // a little above the floor, or the palm just above the walls
            p[2] = c->pos[2] + m->g.below + 0.004;
            double room = hand_room(m, p, open, m->g.thing);
            if (room < 0.004) {
                p[2] = fmax(p[2], c->pos[2] + c->size[2] - PALM + 0.012);
                room = fmin(hand_room(m, p, open, m->g.thing), 0.004);
            }
            // the thing itself among those that lie there
            outline self = {.x = p[0], .y = p[1], .half = {m->g.width / 2, -1}};
            for (int i = 0; i < m->nthing; i++) {
                outline o = see_outline(&m->thing[i]);
                double apart = len2(o.x - self.x, o.y - self.y) - 0.5 * m->g.width -
                               fmax(o.half[0], o.half[1]);
                if (i != m->g.thing && see_inside(&m->thing[i], c)) room = fmin(room, apart);
            }
            double score = fmin(room, 0.03) - 0.002 * fabs((double)r) - 0.01 * len2(u, v);
            if (score > best) best = score, memcpy(at, p, sizeof p);
        }
    }
    return best;
}
