// SPDX-License-Identifier: Apache-2.0
// worlds_in.h - what worlds.c (steps) and worlds_open.c (set-up) share.
#ifndef QI_LEARN_WORLDS_IN_H
#define QI_LEARN_WORLDS_IN_H

#include "brain/policy.h"
#include "learn/motion.h"
#include "learn/teacher.h"
#include "learn/worlds.h"
#include "qiao/task.h"

enum { RNG_WORLDS = 0x4c10 };
enum { TEACHER_GRANTS = 64 }; // most signals that are granted in all to a student and a teacher
// Signals without noise or delay, granted to the trainer alone.
enum {
    TRUE_POSE,
    TRUE_VEL,
    TRUE_GYRO,
    TRUE_POS,
    TRUE_SPEED,
    TRUE_TAU,
    TRUE_CONTACT,
    TRUE_FEET,
    TRUE_GROUND,
    TRUE_OBJECT,
    TRUE_SITES, // bodies of hand and fingertips
    TRUE_SIGNALS
};

typedef struct one { // world
    qi_past past;
    double command[3];
    double goal[4], object_vel[3], object_spin[3]; // goal: w x y z, or x y z
    int goal_age;                                  // steps
    bool goal_due;                                 // another is to be asked for
    int64_t reached;                               // goals; with off_sum since the last statistics
    double off_sum;
    int age, command_left, push_wait, push_left;
    uint64_t episode, drawn;   // random numbers used up
    double kp, kd;             // factors of the gains
    float a[3][QI_JOINTS_MAX]; // actions: this, the last, the one before
    double term[QI_REWARD_KINDS], sum[QI_REWARD_KINDS], speed_error, turn_error;
    int64_t looked;
    int frame;          // of the motion
    double shift[3];    // from the motion's place to the world's
    int level, on;      // of the ground; which of all grounds it stands on
    double went, asked; // m in this episode: along the commands, by them
} one;

struct qi_worlds {
    const qi_recipe *r;
    qi_pool *pool;
    qiao_robot *robot;
    qiao_robot bare; // with only the sensors that the brain reads
    qiao_scenario *scenario;
    qiao_case **cas;    // [grounds]
    qiao_model **model; // [grounds]
    qiao_sim *sim;
    qi_policy *policy;
    const qi_manifest *manifest; // the policy's
    void *mind;                  // the policy bound to the worlds
    qiao_io io;                  // the sim's, for n worlds
    qi_env env;
    qiao_cmd cmd;
    qi_motion motion;   // nframe 0: none
    qi_target *target;  // [n] of the last look
    qi_teacher teacher; // nbrain 0: none
    bool asked;         // the teacher said something of this step
    qi_teach teach;
    one *one;        // [n]
    double *scratch; // [n][3][QI_JOINTS_MAX]
    double period, cos_tilt, mass, share;
    int vadr[QI_JOINTS_MAX], free_qadr;
    double rest_of[QI_JOINTS_MAX], rest_z; // the robot's own rest: joints, height of its base
    int nstep, episode, base, free_vadr, nfoot, njoint;
    int adr[TRUE_SIGNALS], sig_command;
    int at_joint[QI_JOINTS_MAX], at_act[QI_JOINTS_MAX], qadr[QI_JOINTS_MAX];
    double rest[QI_JOINTS_MAX], low[QI_JOINTS_MAX], high[QI_JOINTS_MAX];
    double foot_at[QI_FEET_MAX][3]; // of the feet's sites in their bodies
    bool floats;                    // the robot's base is free
    // of the object: its joint, the goal's signal; sites of hand and fingertips in their bodies
    int obj_qadr, obj_vadr, sig_goal, nsite;
    double site_at[QI_TIPS_MAX + 1][3];
    double tolerance; // of the goal, as far as the curriculum is
    uint64_t epoch, nrefused;
    float *reward, *said; // said [n][nact]
    uint8_t *over;
    int nscan; // points of the ground that are looked at
    // work of many threads: units of worlds; whether the policy can be seen and moved in parts
    const int *unit; // [nunit + 1]
    int nunit;
    bool apart;
    const float *action;
    float *actor, *critic;
    qiao_arena *arena;
};

// ground.c. Chooses the ground of a world that begins; true: it has become another.
bool qi_ground_choose(qi_worlds *w, int i);
// Somewhere on it, on its feet: changes the base's part of q.
void qi_ground_place(qi_worlds *w, int i, double *q);
// Height of what lies below the base, from a row of observations.
double qi_ground_below(const qi_worlds *w, const double *x);
// Height of the ground under foot f of o, as far as the points that are looked at tell.
double qi_ground_foot(const qi_worlds *w, const double *x, const qi_look *o, int f);
// Counts a step; whether the world has left the field.
bool qi_ground_walk(qi_worlds *w, int i, const qi_look *o);
// An episode is over: up or down. fell: before its time.
void qi_ground_over(qi_worlds *w, int i, bool fell);
// Set-up: the points of the ground that are looked at, the draws, and whether worlds can change between them.
qiao_case *qi_ground_case(const qi_worlds *w, int k, qiao_diag *d);
void qi_ground_scan(qi_worlds *w, qiao_sensor *s);
bool qi_ground_check(qi_worlds *w, qiao_diag *d);
double qi_worlds_draw(const qi_worlds *w, int i, uint64_t counter, uint32_t what); // 0..1
// The motion of a recipe, follow.c: read and given to the manifest; where a world that begins anew
// is in it (q, qd are changed); where it is to be now, and whether it ends or is too far off.
bool qi_follow_open(qi_worlds *w, qi_manifest *m, qiao_diag *d);
void qi_follow_start(qi_worlds *w, int i, double u, double *q, double *qd);
const qi_target *qi_follow_target(qi_worlds *w, int i);
bool qi_follow_lost(const qi_worlds *w, const qi_look *o);
bool qi_follow_over(const qi_worlds *w, int i);
void qi_worlds_hooks(qi_worlds *w);

static inline double qi_within(qi_range g, double u) { return g.lo + (g.hi - g.lo) * u; }
// p + R(b) s
void qi_worlds_site(const double pose[7], const double s[3], double out[3]);

// ---- worlds_object.c: the object and its goals ----
bool qi_object_sites(qi_worlds *w, const char **body, qiao_diag *d); // bodies of hand and tips
bool qi_object_bind(qi_worlds *w, qiao_diag *d);                     // once the sim is there
void qi_object_start(qi_worlds *w, int i, double *q);
void qi_object_goal(qi_worlds *w, int i); // a new one, told to the brain
void qi_object_look(qi_worlds *w, int i, const double *x, qi_look *o);
bool qi_object_lost(const qi_worlds *w, const qi_look *o);
bool qi_object_after(qi_worlds *w, int i, const qi_look *o); // notes a step
int qi_object_critic_size(const qi_worlds *w);
float *qi_object_critic(const qi_worlds *w, int i, const double *x, float *c);

#endif
