// SPDX-License-Identifier: Apache-2.0
// recipe.h - what a training consists of, as data: train.yaml beside a brain's manifest. The keys
// are in docs/learn.md.
#ifndef QI_LEARN_RECIPE_H
#define QI_LEARN_RECIPE_H

#include "learn/td3.h"

// Of hands and arms: reward_object.c.
#define QI_OBJECT_REWARD_LIST(X)                                                                \
    X(orientation, "1 at the orientation asked for, 0 where width rad off it", "width", 3.1416) \
    X(place, "exp(-(distance from the place asked for / width))", "width", 0.1)                 \
    X(closer, "rad/s or m/s towards the goal", NULL, 0)                                         \
    X(at_goal, "1 within the tolerance of the goal", NULL, 0)                                   \
    X(reached, "1 where a goal is reached, not times the period", NULL, 0)                      \
    X(hand_near, "exp(-(distance of hand and object / width))", "width", 0.1)                   \
    X(tips_near, "the same of the fingertips, their mean", "width", 0.05)                       \
    X(object_far, "m between hand and object past target", "target", 0.05)                      \
    X(object_speed, "speed of the object, squared", NULL, 0)                                    \
    X(object_spin, "turning of the object, squared", NULL, 0)

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
    X(motion_joint_pos, "exp(-(joints off the motion's / width)^2), mean over joints", "width",   \
      0.2)                                                                                        \
    X(motion_joint_vel, "the same of their velocities", "width", 3)                               \
    X(motion_feet, "the same of the feet, seen from the base", "width", 0.06)                     \
    X(motion_base_pos, "exp(-(distance of the base from the motion's / width)^2)", "width", 0.3)  \
    X(motion_base_rot, "the same of its rotation", "width", 0.3)                                  \
    X(motion_base_vel, "the same of its velocity", "width", 0.5)                                  \
    X(motion_base_gyro, "the same of its turning", "width", 1.5)                                  \
    QI_OBJECT_REWARD_LIST(X)                                                                      \
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
    qi_range object_mass;
    int episodes;
} qi_vary;

typedef struct qi_rise { // grounds from easy to hard; worlds move up and down between them
    const char *by;      // parameter of the scenario that says how hard, NULL: no such thing
    int levels, draws;   // grounds of a level
    qi_range x, y;       // where robots start, m
    double leave;        // m outside that field where an episode is over, as if its time were
} qi_rise;
// What a hand or an arm works on, and where it shall be.
enum { QI_TIPS_MAX = 8 };
typedef struct qi_object {
    const char *name, *hand;      // thing of the scenario, NULL: none; site, NULL: the robot's tool
    int ntip;                     // sites
    const char *tip[QI_TIPS_MAX]; //
    qi_range at[3];               // m: start less where the scenario puts it
    qi_range yaw;                 // rad: its turn about the vertical
    double turn;                  // rad: its turn about any axis at most
    double low, far; // m: an episode ends when it is lower, farther from the hand; 0: no
} qi_object;
typedef enum qi_aim_kind { QI_AIM_NONE, QI_AIM_ORIENTATION, QI_AIM_PLACE } qi_aim_kind;
typedef struct qi_aim {
    qi_aim_kind kind;
    double turn;        // rad: farthest from the object's orientation of the time
    qi_range at[3];     // m: place of the object's middle, world
    qi_range tolerance; // rad or m: shrinks from high to low as the curriculum grows
    double seconds;     // after which another is asked for; 0: never
    bool again;         // another one when it is reached
} qi_aim;

enum { QI_RECIPE_TERMS = 16 };
typedef struct qi_recipe {
    const char *path;  // of the file
    const char *brain; // manifest, resolved
    const char *robot, *scenario, *engine;
    int grounds, iterations, worlds;
    double seconds;                                      // of an episode
    bool critic_velocity, critic_contact, critic_height; // what the critic sees beside the actor
    bool critic_object, critic_tips, critic_joints;
    qi_object object;
    qi_aim goal;
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
    const char *motion;            // file of the motion to follow, NULL: none
    double motion_from, motion_to; // s of it; to < 0: to the end
    bool motion_loop, motion_any;  // the first frame comes after the last; starts anywhere in it
    double motion_far;             // m off it where an episode ends, 0: nowhere
    const char *teacher;           // brain to imitate, NULL: none
    double imitate_steps, mix[2];  // of worlds; share of them that it drives, at first and at last
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
