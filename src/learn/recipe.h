// SPDX-License-Identifier: Apache-2.0
// recipe.h - what a training consists of, as data: train.yaml beside a brain's manifest. The keys
// are in docs/learn.md.
#ifndef QI_LEARN_RECIPE_H
#define QI_LEARN_RECIPE_H

#include "learn/td3.h"

// What a step is worth, term by term: weight times the term's value times the control period.
// One list makes the names and the meaning of the parameter; reward.c has a function for each.
#define QI_REWARD_LIST(X)                                                                         \
    X(track_velocity, "exp(-(error of vx, vy / width)^2)", "width", 0.5)                          \
    X(track_turn, "exp(-(error of the yaw rate / width)^2)", "width", 0.5)                        \
    X(vertical, "vertical speed of the base, squared", NULL, 0)                                   \
    X(roll, "roll and pitch rates, squared", NULL, 0)                                             \
    X(level, "gravity across the base, squared: 0 is level", NULL, 0)                             \
    X(height, "height of the base above the ground off the target, squared", "target", 0.3)       \
    X(torque, "torques, squared", NULL, 0)                                                        \
    X(power, "power that the drives take", NULL, 0)                                               \
    X(joint_speed, "joint velocities, squared", NULL, 0)                                          \
    X(joint_accel, "joint accelerations, squared", NULL, 0)                                       \
    X(action_rate, "change of the actions, squared", NULL, 0)                                     \
    X(action_jerk, "change of the change of the actions, squared", NULL, 0)                       \
    X(pose, "joints off the default pose, squared", NULL, 0)                                      \
    X(stand, "joints off the default pose, while told to stand", NULL, 0)                         \
    X(limits, "joints past that share of their range, rad", "share", 0.9)                         \
    X(air_time, "s that a foot was in the air beyond target, at touch-down, while told to move",  \
      "target", 0.3)                                                                              \
    X(slip, "speed of feet that touch, squared", NULL, 0)                                         \
    X(clearance, "height of moving feet off the target, times their speed", "target", 0.08)       \
    X(gait, "share of the feet that stand and swing as the clock says; share of it they stand",   \
      "share", 0.55)                                                                              \
    X(swing, "feet lower than a half sine of that height while the clock swings them, squared",   \
      "target", 0.1)                                                                              \
    X(feet_apart, "m that two feet are nearer to each other than that, seen from above", "least", \
      0.12)                                                                                       \
    X(alive, "1", NULL, 0)                                                                        \
    X(fall, "1 where a trial ends early, not times the period", NULL, 0)

typedef enum qi_reward_kind {
#define QI_REWARD_ENUM(name, text, param, value) QI_REWARD_##name,
    QI_REWARD_LIST(QI_REWARD_ENUM)
#undef QI_REWARD_ENUM
        QI_REWARD_KINDS
} qi_reward_kind;
extern const char *const qi_reward_name[QI_REWARD_KINDS];

typedef struct qi_reward {
    qi_reward_kind kind;
    double weight, param;
} qi_reward;

typedef struct qi_range {
    double lo, hi;
} qi_range;

typedef struct qi_vary { // domain randomisation: drawn anew for a world every few episodes
    bool any;
    qi_range friction, mass, payload, com, damping, armature, frictionloss, kp, kd, torque, delay;
    int episodes;
} qi_vary;

typedef struct qi_rise { // grounds from easy to hard; worlds move up and down between them
    const char *by;      // parameter of the scenario that says how hard, NULL: no such thing
    int levels, draws;   // grounds of a level
    qi_range x, y;       // where robots start, m
    double leave;        // m outside that field where an episode is over, as if its time were
} qi_rise;

enum { QI_RECIPE_TERMS = 16 };
typedef struct qi_recipe {
    const char *path;  // of the file
    const char *brain; // manifest, resolved
    const char *robot, *scenario, *engine;
    int grounds, iterations, worlds;
    double seconds;                                      // of an episode
    bool critic_velocity, critic_contact, critic_height; // what the critic sees beside the actor
    qi_range vx, vy, yaw_rate, command_seconds;
    double still;                    // share of commands that say stand
    double end_tilt, end_height;     // rad, m: beyond these an episode ends
    double start_joint, start_speed; // how far from rest an episode starts: rad; m/s and rad/s
    qi_range push_seconds;
    double push_speed; // m/s that a push gives
    qi_vary vary;
    qi_rise rise;
    double grow_from, grow_steps; // curriculum: commands and pushes grow from a share to all of it
    int nreward;
    qi_reward reward[QI_REWARD_KINDS];
    int npair; // mirror: joints that change places, and which signs turn
    struct {
        const char *left, *right;
        double sign;
    } pair[64];
    qi_ppo_def ppo;
    const char *teacher;          // brain to imitate, NULL: none
    double imitate_steps, mix[2]; // of worlds; share of them that it drives, at first and at last
    int imitate_epochs, imitate_minibatches;
    double imitate_rate, imitate_noise;
    bool use_td3; // learner: td3
    qi_td3_def td3;
    int td3_horizon;               // steps lived between two times of learning
    double steps;                  // of worlds, after which training is over
    int checkpoint;                // iterations
    uint8_t hash[QIAO_HASH_BYTES]; // of the file
    qiao_arena *arena;
} qi_recipe;

qi_recipe *qi_recipe_load(const char *path, qiao_diag *d);
qi_recipe *qi_recipe_read(const char *path, const char *text, size_t n, qiao_diag *d);
void qi_recipe_free(qi_recipe *r);

#endif
