// SPDX-License-Identifier: Apache-2.0
// manifest_write.c - a manifest as brain.yaml; reading it again gives the same one.
#include "brain/manifest.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The shortest text that reads back as the same number.
static void put_num(FILE *f, double x) {
    char text[40];
    x += 0.0; // no -0
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    fputs(text, f);
}

// The character at c and its length; what is no UTF-8 counts as one byte.
static int one_of_utf8(const unsigned char *c, uint32_t *code) {
    int n = *c < 0xc0 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;
    *code = n == 1 ? *c : *c & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            *code = *c;
            return 1;
        }
        *code = *code << 6 | (c[i] & 0x3f);
    }
    return n;
}

// What a YAML file may hold as it is and no reader takes for the end of a line.
static bool printable(uint32_t c) {
    return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0xd800 && c != 0x2028 && c != 0x2029) ||
           (c >= 0xe000 && c < 0xfffe && c != 0xfeff) || c >= 0x10000;
}

// As in double quotes: whatever s holds, it stays on its line.
static void put_escaped(FILE *f, const char *s) {
    for (const unsigned char *c = (const unsigned char *)s; *c;) {
        uint32_t code = 0;
        int n = one_of_utf8(c, &code);
        if (*c == '"' || *c == '\\') fputc('\\', f);
        if (!printable(code))
            fprintf(f, "\\U%08" PRIx32, code);
        else
            fwrite(c, 1, (size_t)n, f);
        c += n;
    }
}

static void put_text(FILE *f, const char *s) {
    bool plain = *s && !isdigit((unsigned char)*s) && strcmp(s, "true") && strcmp(s, "false");
    for (const char *c = s; *c; c++)
        plain &= isalnum((unsigned char)*c) || strchr("_./$", *c) || (*c == '-' && c > s);
    if (plain)
        fputs(s, f);
    else
        fputc('"', f), put_escaped(f, s), fputc('"', f);
}

static void put_key(FILE *f, const char *key, const char *value) {
    if (!value) return;
    fprintf(f, "%s: ", key);
    put_text(f, value);
    fputc('\n', f);
}

// Values of width numbers for each joint: one for all, or a map.
static void put_joints(FILE *f, const qi_manifest *m, const int *pick, int n, int width,
                       const double *x) {
    bool same = true;
    for (int i = 1; i < n; i++)
        for (int k = 0; k < width; k++) same &= x[i * width + k] == x[k];
    if (!same) fputc('{', f);
    for (int i = 0; i < (same ? 1 : n); i++) {
        if (!same) {
            fputs(i == 0 ? "" : i % 4 == 0 ? ",\n  " : ", ", f);
            put_text(f, m->joint[pick ? pick[i] : i]), fputs(": ", f);
        }
        if (width == 2 && isnan(x[2 * i])) { // of the robot
            fputs("joint_range", f);
            continue;
        }
        if (width == 2) fputc('[', f);
        put_num(f, x[i * width]);
        if (width == 2) fputs(", ", f), put_num(f, x[i * width + 1]), fputc(']', f);
    }
    if (!same) fputc('}', f);
}

static bool all_are(const double *x, int n, double value) {
    for (int i = 0; i < n; i++)
        if (x[i] != value) return false;
    return true;
}

static void put_row(FILE *f, const qi_manifest *m, const char *key, const double *x, double none) {
    if (all_are(x, m->njoint, none)) return;
    fprintf(f, "%s: ", key);
    put_joints(f, m, NULL, m->njoint, 1, x);
    fputc('\n', f);
}

static void put_span(FILE *f, const char *key, const double x[2]) {
    if (x[0] == 0 && x[1] == 0) return;
    fprintf(f, "%s[", key);
    put_num(f, x[0]), fputs(", ", f), put_num(f, x[1]);
    fputc(']', f);
}

static void put_factor(FILE *f, const qi_manifest *m, const qi_term *t, const char *key,
                       const double *x, double none) {
    int n = t->kind == QI_TERM_ENCODER ? 1 : t->dim;
    bool joint = t->kind == QI_TERM_JOINT_POS || t->kind == QI_TERM_JOINT_VEL ||
                 t->kind == QI_TERM_JOINT_ERROR || t->kind == QI_TERM_ACTION;
    if (all_are(x, n, none)) return;
    fprintf(f, ", %s: ", key);
    if (joint) {
        put_joints(f, m, t->joint, n, 1, x);
    } else if (all_are(x, n, x[0])) {
        put_num(f, x[0]);
    } else {
        for (int i = 0; i < n; i++) fputs(i ? ", " : "[", f), put_num(f, x[i]);
        fputc(']', f);
    }
}

static void put_term(FILE *f, const qi_manifest *m, const qi_obs_group *g, const qi_term *t) {
    static const char *const of[] = {"raw", "clipped", "sent"};
    static const char *const form[] = {"sin_cos", "sin", "cos", "raw"};
    fprintf(f, "    - {term: %s", t->name);
    if (t->source) fputs(", source: ", f), put_text(f, t->source);
    if (strcmp(t->frame, t->kind == QI_TERM_OBJECT_POS ? "world" : "base") != 0)
        fprintf(f, ", frame: %s", t->frame);
    if (t->unit) fputs(", unit: ", f), put_text(f, t->unit);
    if (t->njoint && t->njoint < m->njoint && t->kind != QI_TERM_MOTION) {
        for (int i = 0; i < t->njoint; i++)
            fputs(i ? ", " : ", joints: [", f), put_text(f, m->joint[t->joint[i]]);
        fputc(']', f);
    }
    static const char *const axes[] = {"x", "y", "z"};
    for (int i = 0; i < t->naxis; i++) fprintf(f, "%s%s", i ? ", " : ", axes: [", axes[t->axis[i]]);
    if (t->naxis) fputc(']', f);
    if (!t->relative) fputs(", relative: false", f);
    if (t->act) fprintf(f, ", of: %s", of[t->act]);
    if (t->form) fprintf(f, ", form: %s", form[t->form]);
    if (t->hz > 0) fputs(", hz: ", f), put_num(f, t->hz);
    if (t->grid[0]) fprintf(f, ", grid: [%d, %d]", t->grid[0], t->grid[1]);
    if (t->kind == QI_TERM_SIGNAL) fprintf(f, ", dim: %d", t->dim);
    if (t->object) fputs(", object: ", f), put_text(f, t->object);
    if (t->relative_to) fputs(", relative_to: ", f), put_text(f, t->relative_to);
    if (t->goal) fputs(", goal: ", f), put_text(f, t->goal);
    if (t->sixd) fputs(", sixd: rows", f);
    if (t->noise_free) fputs(", noise_free: true", f);
    put_span(f, ", clip: ", t->clip);
    if (t->history > 0 && t->history != g->history) fprintf(f, ", history: %d", t->history);
    if (t->kind == QI_TERM_CONSTANT) {
        for (int i = 0; i < t->dim; i++)
            fputs(i ? ", " : ", values: [", f), put_num(f, t->offset[i]);
        fputc(']', f);
    } else {
        put_factor(f, m, t, "scale", t->scale, 1);
        put_factor(f, m, t, "offset", t->offset, 0);
    }
    fputs("}\n", f);
}

static void put_group(FILE *f, const qi_manifest *m, const char *key, const qi_obs_group *g) {
    if (g->nterm == 0) return;
    fprintf(f, "%s:\n", key);
    if (g->history > 1) fprintf(f, "  history: %d\n", g->history);
    if (g->by_term) fputs("  layout: term\n", f);
    if (g->newest_first) fputs("  order: newest_first\n", f);
    if (g->fill_zero) fputs("  fill: zero\n", f);
    if (g->clip > 0) fputs("  clip: ", f), put_num(f, g->clip), fputc('\n', f);
    fputs("  terms:\n", f);
    for (int i = 0; i < g->nterm; i++) put_term(f, m, g, &g->term[i]);
}

static void put_network(FILE *f, const qi_manifest *m) {
    static const char *const type[] = {"float32", "bfloat16", "int8"};
    fputs("network:\n", f);
    put_key(f, "  policy", m->policy.file), put_key(f, "  input", m->policy.input);
    put_key(f, "  output", m->policy.output), put_key(f, "  encoder", m->encoder.file);
    put_key(f, "  encoder_input", m->encoder.input);
    put_key(f, "  encoder_output", m->encoder.output);
    if (m->type) put_key(f, "  type", type[m->type]);
    for (int i = 0; i < m->nstate; i++) {
        fputs(i ? "    - {in: " : "  state:\n    - {in: ", f), put_text(f, m->state[i].in);
        fputs(", out: ", f), put_text(f, m->state[i].out), fputs("}\n", f);
    }
}

static void put_action(FILE *f, const qi_manifest *m) {
    static const char *const kind[] = {"position", "delta", "velocity", "torque"};
    int n = m->njoint;
    bool same = true, usual = true, reach = false, range = true, clip = false;
    for (int i = 0; i < n; i++) {
        same &= m->action.of[i] == m->action.of[0];
        usual &=
            m->action.offset[i] == (m->action.of[i] == QI_ACTION_POSITION ? m->default_pose[i] : 0);
        const double *r = m->action.reach + 2 * i, *c = m->action.clip + 2 * i;
        reach |= r[0] != 0 || r[1] != 0, range &= isnan(r[0]);
        clip |= c[0] != 0 || c[1] != 0;
    }
    fputs("action:\n  meaning: ", f);
    if (same) fprintf(f, "%s\n", kind[m->action.of[0]]);
    for (int i = 0; !same && i < n; i++) {
        fputs(i == 0 ? "{" : i % 4 == 0 ? ",\n    " : ", ", f);
        put_text(f, m->joint[i]),
            fprintf(f, ": %s%s", kind[m->action.of[i]], i == n - 1 ? "}\n" : "");
    }
    put_row(f, m, "  scale", m->action.scale, 1);
    if (!usual)
        fputs("  offset: ", f), put_joints(f, m, NULL, n, 1, m->action.offset), fputc('\n', f);
    if (clip) fputs("  clip: ", f), put_joints(f, m, NULL, n, 2, m->action.clip), fputc('\n', f);
    if (reach && range) fputs("  reach: joint_range\n", f);
    if (reach && !range)
        fputs("  reach: ", f), put_joints(f, m, NULL, n, 2, m->action.reach), fputc('\n', f);
    if (m->action.residual) fputs("  residual: true\n", f);
    if (m->action.reclip > 0) fputs("  reclip: ", f), put_num(f, m->action.reclip), fputc('\n', f);
}

static void put_clock(FILE *f, const qi_manifest *m) {
    bool legs = m->clock.nleg > 1 || m->clock.leg[0] != 0;
    if (m->clock.hz <= 0 && !legs && m->clock.stand_below <= 0) return;
    fputs("clock: {hz: ", f), put_num(f, m->clock.hz);
    if (m->clock.start > 0) fputs(", start: ", f), put_num(f, m->clock.start);
    for (int i = 0; legs && i < m->clock.nleg; i++)
        fputs(i ? ", " : ", legs: [", f), put_num(f, m->clock.leg[i]);
    if (legs) fputc(']', f);
    if (m->clock.advance_first) fputs(", advance: before", f);
    if (m->clock.restart) fputs(", wrap: restart", f);
    if (m->clock.stand_below > 0) {
        fputs(", stand_below: ", f), put_num(f, m->clock.stand_below);
        fputs(", stand_phase: ", f), put_num(f, m->clock.stand_phase);
    }
    fputs("}\n", f);
}

static bool said(const double x[2]) { return x[0] != 0 || x[1] != 0; }

static void put_commands(FILE *f, const qi_manifest *m) {
    if (!said(m->command.vx) && !said(m->command.vy) && !said(m->command.yaw_rate) &&
        m->command.dead <= 0)
        return;
    fputs("commands:\n", f);
    put_span(f, "  vx: ", m->command.vx), fputs(said(m->command.vx) ? "\n" : "", f);
    put_span(f, "  vy: ", m->command.vy), fputs(said(m->command.vy) ? "\n" : "", f);
    put_span(f, "  yaw_rate: ", m->command.yaw_rate);
    fputs(said(m->command.yaw_rate) ? "\n" : "", f);
    if (m->command.dead > 0) fputs("  dead: ", f), put_num(f, m->command.dead), fputc('\n', f);
}

static void put_physics(FILE *f, const qi_manifest *m) {
    int n = m->njoint;
    if (m->physics.step <= 0 && m->physics.delay < 0 && all_are(m->physics.armature, n, -1) &&
        all_are(m->physics.damping, n, -1) && all_are(m->physics.friction, n, -1))
        return;
    fputs("physics:\n", f);
    if (m->physics.step > 0)
        fputs("  step_ms: ", f), put_num(f, m->physics.step * 1e3), fputc('\n', f);
    put_row(f, m, "  armature", m->physics.armature, -1);
    put_row(f, m, "  damping", m->physics.damping, -1);
    put_row(f, m, "  friction", m->physics.friction, -1);
    if (m->physics.delay >= 0)
        fputs("  delay_ms: ", f), put_num(f, m->physics.delay * 1e3), fputc('\n', f);
}

static void put_motion(FILE *f, const qi_manifest *m) {
    if (!m->motion.file && !m->motion.time) return;
    fputs("motion:\n", f);
    put_key(f, "  file", m->motion.file), put_key(f, "  anchor", m->motion.anchor);
    fputs("  rate_hz: ", f), put_num(f, m->motion.rate_hz), fputc('\n', f);
    if (m->motion.loop) fputs("  loop: true\n", f);
    put_key(f, "  time", m->motion.time), put_key(f, "  joint_pos", m->motion.joint_pos);
    put_key(f, "  joint_vel", m->motion.joint_vel), put_key(f, "  body_pos", m->motion.body_pos);
    put_key(f, "  body_quat", m->motion.body_quat);
    if (m->motion.body) fprintf(f, "  body: %d\n", m->motion.body);
}

static void put_hold(FILE *f, const qi_manifest *m) {
    for (int i = 0; i < m->nhold; i++) {
        fputs(i ? "  - {match: " : "hold:\n  - {match: ", f), put_text(f, m->hold[i].match);
        if (!isnan(m->hold[i].pose)) fputs(", pose: ", f), put_num(f, m->hold[i].pose);
        if (m->hold[i].kp >= 0) fputs(", kp: ", f), put_num(f, m->hold[i].kp);
        if (m->hold[i].kd >= 0) fputs(", kd: ", f), put_num(f, m->hold[i].kd);
        fputs("}\n", f);
    }
}

static void put_head(FILE *f, const qi_manifest *m) {
    if (m->form != QI_FORM_QIAO) fprintf(f, "# Made from %s.\n", qi_form_name(m->form));
    for (int i = 0; i < m->nnote; i++)
        fputs("# assumed: ", f), put_escaped(f, m->note[i]), fputc('\n', f);
    put_key(f, "name", m->name), put_key(f, "title", m->title);
    put_key(f, "title_zh", m->title_zh), put_key(f, "robot", m->robot);
    put_key(f, "source", m->source), put_key(f, "licence", m->licence);
}

char *qi_manifest_write(const qi_manifest *m) {
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return NULL;
    put_head(f, m);
    put_network(f, m);
    fputs("rate_hz: ", f), put_num(f, m->rate_hz), fputc('\n', f);
    if (m->loop > 1) fputs("loop_hz: ", f), put_num(f, m->rate_hz * m->loop), fputc('\n', f);
    for (int i = 0; i < m->njoint; i++)
        fputs(i == 0 ? "joints: [" : i % 4 == 0 ? ",\n  " : ", ", f), put_text(f, m->joint[i]);
    fputs("]\n", f);
    put_row(f, m, "default_pose", m->default_pose, 0), put_row(f, m, "kp", m->kp, -1);
    put_row(f, m, "kd", m->kd, -1), put_row(f, m, "torque_limit", m->torque_limit, 0);
    put_clock(f, m);
    put_group(f, m, "encoder_observation", &m->enc), put_group(f, m, "observation", &m->obs);
    put_action(f, m), put_commands(f, m), put_physics(f, m), put_motion(f, m), put_hold(f, m);
    bool bad = ferror(f);
    if (fclose(f) != 0 || bad) {
        free(text);
        return NULL;
    }
    return text;
}
