// SPDX-License-Identifier: Apache-2.0
// test_lanes_refuse.c - every refusal of engine lanes: a small model with that feature is refused
// with the feature's name and the element's. The first test reads lanes_refuse.c, so that a refusal
// without a case shows.
#include "test.h"

#include "dyn_model.h"
#include "lanes_features.h"
#include "sim/lanes_plan.h"

// What MJCF alone does not bring about in a small model (plugins and signed distance fields want
// libraries; some are shadowed by other refusals) is written into the compiled model.
static void set_plugin(mjModel *m) { m->nplugin = 1; }
static void set_adhesion(mjModel *m) { m->flg_adhesion = 1; }
static void set_surfacevel(mjModel *m) { m->flg_surfacevel = 1; }
static void set_controls(mjModel *m) { m->actuator_ctrlnum[0] = 2; }
static void set_dynamics(mjModel *m) { m->actuator_dyntype[0] = mjDYN_USER; }
static void set_gain(mjModel *m) { m->actuator_gaintype[0] = mjGAIN_USER; }
static void set_bias(mjModel *m) { m->actuator_biastype[0] = mjBIAS_USER; }
static void set_delay(mjModel *m) { m->actuator_delay[0] = 0.01; }
static void set_damping(mjModel *m) { m->actuator_damping[0] = 0.1; }
static void set_sdf(mjModel *m) { m->geom_type[0] = mjGEOM_SDF; }

#define MOTOR       WORLD("", ARM("", ""), "<actuator><motor name='m' joint='a'/></actuator>")
#define ROD         WORLD("", ARM("", ""), "")
#define TENDON(how) WORLD("", ARM("", ""), "<tendon><fixed name='t' " how TENDON_END)
#define TENDON_END  "><joint joint='a' coef='1'/></fixed></tendon>"

static const struct refusal {
    const char *feature, *element; // as lanes_refuse.c writes it; "joint 'q'" or NULL
    const char *xml;               // NULL: chain()
    void (*set)(mjModel *m);
} cases[] = {
    {"integrator 'implicit'", NULL, WORLD("<option integrator='implicit'/>", ARM("", ""), ""),
     NULL},
    {"noslip_iterations", NULL, WORLD("<option noslip_iterations='3'/>", ARM("", ""), ""), NULL},
    {"fluid forces", NULL, WORLD("<option density='1'/>", ARM("", ""), ""), NULL},
    {"fluid forces", NULL, WORLD("<option viscosity='.1'/>", ARM("", ""), ""), NULL},
    {"flag override", NULL, WORLD("<option><flag override='enable'/></option>", ARM("", ""), ""),
     NULL},
    {"flag sleep", NULL, WORLD("<option><flag sleep='enable'/></option>", ARM("", ""), ""), NULL},
    {"flex", "flex 'f'",
     WORLD("",
           "<flexcomp name='f' type='grid' count='3 3 1' spacing='.1 .1 .1' radius='.01' dim='2' "
           "mass='1'/>",
           ""),
     NULL},
    {"plugins", NULL, ROD, set_plugin},
    {"actuators with activation states", NULL,
     WORLD("", ARM("", ""),
           "<actuator><general joint='a' dyntype='filter' dynprm='.1'/></actuator>"),
     NULL},
    {"more than 128 degrees of freedom", NULL, NULL, NULL},
    {"adhesion", NULL, ROD, set_adhesion},
    {"surfacevel", NULL, ROD, set_surfacevel},
    {"polynomial stiffness", "joint 'q'",
     WORLD("", "<body><joint name='q' stiffness='1 2 3'/><geom size='.1'/></body>", ""), NULL},
    {"actuatorgravcomp", "joint 'q'",
     WORLD("",
           "<body gravcomp='1'><joint name='q' actuatorgravcomp='true'/><geom size='.1'/></body>",
           ""),
     NULL},
    {"polynomial damping", "joint 'q'",
     WORLD("", "<body><joint name='q' damping='1 2'/><geom size='.1'/></body>", ""), NULL},
    {"polynomial damping", "joint 'without a name'",
     WORLD("", "<body><joint damping='1 2'/><geom size='.1'/></body>", ""), NULL},
    {"spatial tendon", "tendon 's'",
     WORLD("", ARM("", ""),
           "<tendon><spatial name='s'><site site='tip'/><site site='end'/></spatial></tendon>"),
     NULL},
    {"tendon armature", "tendon 't'", TENDON("armature='.1'"), NULL},
    {"polynomial tendon stiffness or damping", "tendon 't'", TENDON("stiffness='1 2'"), NULL},
    {"polynomial tendon stiffness or damping", "tendon 't'", TENDON("damping='1 2'"), NULL},
    {"equality other than connect, weld and joint", "equality 'e'",
     WORLD("", ARM("", ""),
           "<tendon><fixed name='t'" TENDON_END
           "<equality><tendon name='e' tendon1='t'/></equality>"),
     NULL},
    {"actuator with several controls or outputs", "actuator 'm'", MOTOR, set_controls},
    {"transmission other than joint and tendon", "actuator 'm'",
     WORLD("", ARM("", ""),
           "<actuator><general name='m' site='tip' gear='1 0 0 0 0 0'/></actuator>"),
     NULL},
    {"transmission other than joint and tendon", "actuator 'm'",
     WORLD("", "<body name='b'><joint/><geom size='.1'/></body>",
           "<actuator><adhesion name='m' body='b' ctrlrange='0 1'/></actuator>"),
     NULL},
    {"actuator on a ball or free joint", "actuator 'm'",
     WORLD("", "<body><joint name='q' type='ball'/><geom size='.1'/></body>",
           "<actuator><motor name='m' joint='q' gear='1 0 0'/></actuator>"),
     NULL},
    {"actuator on a ball or free joint", "actuator 'm'",
     WORLD("", "<body><freejoint name='q'/><geom size='.1'/></body>",
           "<actuator><motor name='m' joint='q' gear='1 0 0 0 0 0'/></actuator>"),
     NULL},
    {"actuator dynamics", "actuator 'm'", MOTOR, set_dynamics},
    {"gain other than fixed and affine", "actuator 'm'", MOTOR, set_gain},
    {"bias other than affine", "actuator 'm'", MOTOR, set_bias},
    {"actuator delay", "actuator 'm'", MOTOR, set_delay},
    {"damping or armature of an actuator", "actuator 'm'", MOTOR, set_damping},
    {"signed distance field", "geom 'ball'",
     WORLD("", "<body><joint/><geom name='ball' size='.1'/></body>", ""), set_sdf},
};
enum { NCASE = sizeof cases / sizeof *cases };

// n bodies on hinges, each on the one before
static const char *chain(int n) {
    enum { SIZE = 1 << 15 };
    static char xml[SIZE];
    int at = snprintf(xml, SIZE, "<mujoco><worldbody>");
    for (int i = 0; i < n; i++)
        at += snprintf(xml + at, (size_t)(SIZE - at),
                       "<body pos='.1 0 0'><joint axis='0 1 0'/><geom size='.02' contype='0' "
                       "conaffinity='0'/>");
    for (int i = 0; i < n; i++) at += snprintf(xml + at, (size_t)(SIZE - at), "</body>");
    snprintf(xml + at, (size_t)(SIZE - at), "</worldbody></mujoco>");
    return xml;
}

TEST(every_refusal_has_a_case) {
    static char text[1 << 16];
    FILE *f = fopen("src/sim/lanes_refuse.c", "r");
    if (!f) SKIP("not run where the sources are");
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    CHECK(n < sizeof text - 1, "the file outgrew the buffer");
    int found = 0;
    static const char call[] = "say(t, n, \"";
    for (char *p = text; (p = strstr(p, call));) {
        p += sizeof call - 1;
        size_t len = strcspn(p, "\"");
        bool has = false;
        for (int i = 0; i < NCASE && !has; i++)
            has = strlen(cases[i].feature) == len && memcmp(cases[i].feature, p, len) == 0;
        CHECK(has, "no case for \"%.*s\"", (int)len, p);
        found++;
    }
    CHECK(found >= 20, "%d refusals read", found);
}

static void refused(const struct refusal *r) {
    dyn_case c;
    qiao_diag d = {0};
    char want[200];
    CHECK(dyn_case_text(&c, r->xml ? r->xml : chain(129)), "%s: the model", r->feature);
    mjModel whole = *c.mj; // what MuJoCo frees by
    if (r->set) r->set(c.mj);
    qi_lplan *p = qi_lplan_new(&c.m, &d);
    *c.mj = whole;
    CHECK(!p, "%s was taken", r->feature);
    CHECK(d.err == QIAO_E_UNSUPPORTED, "%s: %d", r->feature, d.err);
    if (r->element)
        snprintf(want, sizeof want, "%s (%s)", r->feature, r->element);
    else
        snprintf(want, sizeof want, "%s", r->feature);
    CHECK_TEXT(d.text, want);
    mj_deleteData(c.data), mj_deleteModel(c.mj);
}

TEST(each_feature_is_refused_by_name_and_element) {
    for (int i = 0; i < NCASE; i++) refused(&cases[i]);
}

// The same models without the feature are taken, so it is the feature that is refused.
TEST(what_is_not_refused_is_taken) {
    const char *const yes[] = {ROD, MOTOR, TENDON("stiffness='1'"), TENDON("damping='1'"),
                               chain(128)};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        dyn_case c;
        qiao_diag d = {0};
        CHECK(dyn_case_text(&c, yes[i]), "model %zu", i);
        qi_lplan *p = qi_lplan_new(&c.m, &d);
        CHECK(p, "model %zu: %s", i, d.text);
        qi_lplan_free(p);
        mj_deleteData(c.data), mj_deleteModel(c.mj);
    }
}
