// SPDX-License-Identifier: Apache-2.0
// cmd_robots.c - qiao robots: which robots there are, and all about one.
#include "commands.h"

#include "base/json.h"
#include "qiao/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list(bool json) {
    qiao_arena *a = qiao_arena_new();
    const char *names[256];
    int n = qiao_robot_list(a, names, 256);
    qi_json j = {0};
    if (json) qi_json_open(&j, NULL, '[');
    for (int i = 0; i < n; i++) {
        qiao_diag d = {0};
        qiao_robot *r = qiao_robot_load(names[i], &d);
        if (json) {
            qi_json_open(&j, NULL, '{');
            qi_json_str(&j, "name", names[i]);
            if (r)
                qi_json_str(&j, "title", r->title), qi_json_str(&j, "kind", r->kind);
            else
                qi_json_bool(&j, "files_absent", d.err == QIAO_E_IO), // of the maker
                    qi_json_str(&j, "error", d.text);
            qi_json_close(&j, '}');
        } else if (r) {
            printf("%-12s %-40s %-8s %6.2f kg  %2d actuators\n", names[i],
                   args_chinese() ? r->title_zh : r->title, r->kind, qiao_model_mass(r->model),
                   r->model->nu);
        } else if (d.err == QIAO_E_IO) {
            const char *why = strstr(d.text, "the maker's files");
            printf(args_chinese() ? "%-12s 缺少厂家文件：%s\n" : "%-12s files absent: %s\n",
                   names[i], why ? why : d.text);
        } else {
            printf("%-12s %s\n", names[i], d.text);
        }
        qiao_robot_free(r);
    }
    if (json) {
        qi_json_close(&j, ']');
        char *text = qi_json_end(&j);
        if (text) fputs(text, stdout);
        free(text);
    } else {
        puts(args_chinese() ? "\n'qiao robots 名字' 给出详情；任何 MJCF 或 URDF 都可按路径使用。"
                            : "\n'qiao robots NAME' tells all about one; any MJCF or URDF works "
                              "by its path.");
    }
    qiao_arena_free(a);
    return EXIT_PASSED;
}

static const char *joint_kind(int type) {
    const char *names[] = {"free", "ball", "slide", "hinge"};
    return type >= 0 && type < 4 ? names[type] : "?";
}

static void limit_text(const double *range, char *s, size_t n) {
    if (range[0] == 0 && range[1] == 0)
        snprintf(s, n, "unlimited");
    else
        snprintf(s, n, "%.3f .. %.3f", range[0], range[1]);
}

static void tell(const qiao_robot *r) {
    const qiao_model *m = r->model;
    char hex[QIAO_HASH_HEX], lim[48];
    qiao_hash_hex(r->hash, hex);
    printf("%s · %s\n", r->title, r->title_zh);
    printf("  kind %s, mass %.3f kg, %d bodies, %d joints, %d actuators, step %g ms\n", r->kind,
           qiao_model_mass(m), m->nbody - 1, m->njnt, m->nu, m->dt * 1e3);
    printf("  file %s\n  hash %s\n", r->path, hex);
    printf("\njoints%-20s kind   body                 range (rad, m)      armature  damping\n", "");
    for (int i = 0; i < m->njnt; i++) {
        limit_text(&m->jnt_range[2 * i], lim, sizeof lim);
        int v = m->jnt_vadr[i];
        printf("  %-24s %-6s %-20s %-18s %9.4g %8.4g\n", m->jnt_name[i], joint_kind(m->jnt_type[i]),
               m->body_name[m->jnt_body[i]], lim, m->dof_armature[v], m->dof_damping[v]);
    }
    printf("\nactuators%-17s torque   speed       kp      kd  rate Hz  delay ms  law\n", "");
    for (int i = 0; i < m->nu; i++) {
        const qiao_drive *v = &r->drive[i];
        printf("  %-24s %6.4g %7.4g %8.4g %7.4g %8.4g %9.3g  %s\n", m->act_name[i], v->torque_max,
               v->speed_max, v->kp, v->kd, v->rate_hz, v->delay * 1e3,
               v->native ? "the model's own" : "PD");
    }
    printf("\nsensors%-19s values  unit      rate Hz   noise     bias  delay ms\n", "");
    for (int i = 0; i < r->nsensor; i++) {
        const qiao_sensor *s = &r->sensor[i];
        printf("  %-24s %6d  %-8s %8.4g %7.3g %8.3g %9.3g\n", s->name, s->dim, s->unit, s->rate_hz,
               s->noise, s->bias, s->delay * 1e3);
    }
    printf("\nlinks%-21s mass kg   inertia kg m2\n", "");
    for (int i = 1; i < m->nbody; i++)
        printf("  %-24s %7.4g   %.3g %.3g %.3g\n", m->body_name[i], m->body_mass[i],
               m->body_inertia[3 * i], m->body_inertia[3 * i + 1], m->body_inertia[3 * i + 2]);
}

static void put_json(const qiao_robot *r) {
    const qiao_model *m = r->model;
    qi_json j = {0};
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(r->hash, hex);
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "name", r->name), qi_json_str(&j, "title", r->title);
    qi_json_str(&j, "kind", r->kind), qi_json_str(&j, "file", r->path);
    qi_json_str(&j, "hash", hex);
    qi_json_num(&j, "mass_kg", qiao_model_mass(m)), qi_json_num(&j, "step_s", m->dt);
    qi_json_open(&j, "joints", '[');
    for (int i = 0; i < m->njnt; i++) {
        qi_json_open(&j, NULL, '{');
        qi_json_str(&j, "name", m->jnt_name[i]);
        qi_json_str(&j, "kind", joint_kind(m->jnt_type[i]));
        qi_json_str(&j, "body", m->body_name[m->jnt_body[i]]);
        qi_json_num(&j, "lower", m->jnt_range[2 * i]);
        qi_json_num(&j, "upper", m->jnt_range[2 * i + 1]);
        qi_json_num(&j, "armature", m->dof_armature[m->jnt_vadr[i]]);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']');
    qi_json_open(&j, "actuators", '[');
    for (int i = 0; i < m->nu; i++) {
        const qiao_drive *v = &r->drive[i];
        qi_json_open(&j, NULL, '{');
        qi_json_str(&j, "name", m->act_name[i]);
        qi_json_num(&j, "torque_max", v->torque_max), qi_json_num(&j, "speed_max", v->speed_max);
        qi_json_num(&j, "kp", v->kp), qi_json_num(&j, "kd", v->kd);
        qi_json_num(&j, "rate_hz", v->rate_hz), qi_json_num(&j, "delay_s", v->delay);
        qi_json_bool(&j, "native", v->native);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']');
    qi_json_open(&j, "sensors", '[');
    for (int i = 0; i < r->nsensor; i++) {
        const qiao_sensor *s = &r->sensor[i];
        qi_json_open(&j, NULL, '{');
        qi_json_str(&j, "name", s->name), qi_json_int(&j, "values", s->dim);
        qi_json_str(&j, "unit", s->unit), qi_json_num(&j, "rate_hz", s->rate_hz);
        qi_json_num(&j, "noise", s->noise), qi_json_num(&j, "bias", s->bias);
        qi_json_num(&j, "delay_s", s->delay);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']');
    qi_json_close(&j, '}');
    char *text = qi_json_end(&j);
    if (text) fputs(text, stdout);
    free(text);
}

static int run(const command *c, int argc, char **argv) {
    const char *png = NULL, *size = "960x720";
    bool json = false;
    const option opts[] = {
        {"--png", "FILE", "draw the robot into this picture", "把机器人画成图片", &png, NULL},
        {"--size", "WxH", "size of the picture (default 960x720)", "图片大小（默认 960x720）",
         &size, NULL},
        {"--json", NULL, "print JSON", "输出 JSON", NULL, &json},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return list(json);
    qiao_diag d = {0};
    int w, h;
    char rest;
    if (sscanf(size, "%dx%d%c", &w, &h, &rest) != 2 || w < 16 || h < 16 || w > 4096 || h > 4096)
        return say_wrong("robots: --size takes WIDTHxHEIGHT from 16x16 to 4096x4096");
    qiao_robot *r = qiao_robot_load(word[0], &d);
    if (!r) return say_wrong(d.text);
    if (json)
        put_json(r);
    else
        tell(r);
    qiao_err e = QIAO_OK;
    if (png) e = qiao_model_draw(r->model, r->rest_q, &(qiao_view){0}, w, h, png, &d);
    if (png && !e && !json) printf("\npicture %s\n", png);
    qiao_robot_free(r);
    return e ? say_wrong(d.text) : EXIT_PASSED;
}

const command command_robots = {
    .name = "robots",
    .usage = "[NAME or PATH] [--png FILE]",
    .en = "list the robots; tell and draw one: joints, actuators, sensors, mass, limits",
    .zh = "列出机器人；说明并画出其中一台：关节、执行器、传感器、质量、限位",
    .more_en = "Examples\n  qiao robots\n  qiao robots go2 --png go2.png\n"
               "  qiao robots path/to/my_robot.urdf",
    .more_zh = "例子\n  qiao robots\n  qiao robots go2 --png go2.png\n"
               "  qiao robots path/to/my_robot.urdf",
    .run = run,
};
