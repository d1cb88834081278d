// SPDX-License-Identifier: Apache-2.0
// Every term of the reward against a value worked out by hand.
#include "learn/reward.h"
#include "test.h"

static const double flat[7] = {1, 2, 0.35, 1, 0, 0, 0}, none[3] = {0};
static const double q[2] = {0.3, -1}, qd[2] = {2, -3}, tau[2] = {4, 5}, rest[2] = {0.1, -0.5};
static const double low[2] = {-1, -1.1}, high[2] = {1, 0.9}, contact[2] = {1, 0};
static const double vel[3] = {0.5, -0.1, 0.2}, gyro[3] = {0.3, -0.4, 0.5};
static const double command[3] = {0.8, 0.3, 1};
static const float a0[2] = {1, 2}, a1[2] = {0.5, 2}, a2[2] = {0, 1};

// an object at one place, asked to be at another; a quarter of a turn further than it was
static const double object[7] = {0.5, 0, 0.1, 0.8, 0, 0, 0.6};
static const qi_target target = {
    .pose = {1.1, 2, 0.35, 0.99875026039496628, 0, 0, 0.049979169270678331}, // turned by 0.1 rad
    .vel = {0.5, -0.1, 0.5},
    .gyro = {0.3, 0.1, 0.5},
    .q = {0.2, -1},
    .qd = {2, -1},
    .foot = {{0, -1, -0.33}, {1, -1.1, -0.28}}};

static qi_look look(void) {
    qi_look o = {.target = &target,
                 .njoint = 2,
                 .nact = 2,
                 .nfoot = 2,
                 .dt = 0.02,
                 .pose = flat,
                 .vel = vel,
                 .gyro = gyro,
                 .q = q,
                 .qd = qd,
                 .tau = tau,
                 .rest = rest,
                 .low = low,
                 .high = high,
                 .contact = contact,
                 .foot = {{1, 1, 0.02}, {2, 1, 0.07}},
                 .phase = {0.75, 0.75},
                 .ground = 0.01,
                 .floor = {0.01, 0.01},
                 .command = command,
                 .a0 = a0,
                 .a1 = a1,
                 .a2 = a2,
                 .object = object,
                 .object_vel = {0.3, 0, 0.4},
                 .object_spin = {0, 0, 2},
                 .off = 0.3,
                 .tolerance = 0.4,
                 .hand = {0.5, 0.06, 0.02},
                 .tip = {{0.5, 0, 0.05}, {0.4, 0, 0.1}},
                 .ntip = 2};
    return o;
}
static qi_past past(void) {
    qi_past p = {.qd = {1, -3},
                 .foot = {{0.99, 1, 0.02}, {1.98, 1.01, 0.06}},
                 .air = {0.5, 0.2},
                 .off = 0.5};
    return p;
}

// Worth of one term of weight 1, over the control period.
static double worth(qi_reward_kind k, double param, const qi_look *o) {
    qi_recipe r = {.nreward = 1, .reward = {{k, 1, param}}};
    qi_past p = past();
    double part;
    double sum = qi_reward_step(&r, o, &p, &part);
    CHECK(sum == part, "the sum is not its part");
    return sum / o->dt;
}

TEST(every_term_is_what_it_says) {
    qi_look o = look();
    double foot1 = hypot(0.02, -0.01) / 0.02, foot0 = 0.01 / 0.02;
    const struct {
        qi_reward_kind kind;
        double param, want;
    } all[] = {
        {QI_REWARD_track_velocity, 0.5, exp(-(0.09 + 0.16) / 0.25)},
        {QI_REWARD_track_turn, 0.5, exp(-1)},
        {QI_REWARD_vertical, 0, 0.04},
        {QI_REWARD_roll, 0, 0.09 + 0.16},
        {QI_REWARD_level, 0, 0},
        {QI_REWARD_height, 0.3, 0.04 * 0.04},
        {QI_REWARD_torque, 0, 41},
        {QI_REWARD_power, 0, 8 + 15},
        {QI_REWARD_joint_speed, 0, 13},
        {QI_REWARD_joint_accel, 0, 2500},
        {QI_REWARD_action_rate, 0, 0.25},
        {QI_REWARD_action_jerk, 0, 0 + 1},
        {QI_REWARD_pose, 0, 0.04 + 0.25},
        {QI_REWARD_stand, 0, 0},
        {QI_REWARD_limits, 0.8, 0 + 0.1},
        {QI_REWARD_air_time, 0.3, 0.5 - 0.3},
        {QI_REWARD_slip, 0, foot0 * foot0},
        {QI_REWARD_clearance, 0.08, foot1 * 0.02},
        {QI_REWARD_gait, 0.55, 0.5},
        {QI_REWARD_swing, 0.1, 0.0081 + 0.0016},
        {QI_REWARD_feet_apart, 1.2, 0.2},
        {QI_REWARD_motion_joint_pos, 0.2, exp(-0.005 / 0.04)},
        {QI_REWARD_motion_joint_vel, 3, exp(-2 / 9.)},
        {QI_REWARD_motion_feet, 0.06, exp(-0.005 / 0.0036)},
        {QI_REWARD_motion_base_pos, 0.3, exp(-0.01 / 0.09)},
        {QI_REWARD_motion_base_rot, 0.3, exp(-4 * 0.0024979173609870897 / 0.09)},
        {QI_REWARD_motion_base_vel, 0.5, exp(-0.09 / 0.25)},
        {QI_REWARD_motion_base_gyro, 1.5, exp(-0.25 / 2.25)},
        {QI_REWARD_orientation, 1.2, 0.75},
        {QI_REWARD_place, 0.1, exp(-3)},
        {QI_REWARD_closer, 0, 10},
        {QI_REWARD_at_goal, 0, 1},
        {QI_REWARD_reached, 0, 0},
        {QI_REWARD_hand_near, 0.05, exp(-2)},
        {QI_REWARD_tips_near, 0.05, (exp(-1) + exp(-2)) / 2},
        {QI_REWARD_object_far, 0.04, 0.06},
        {QI_REWARD_object_speed, 0, 0.25},
        {QI_REWARD_object_spin, 0, 4},
        {QI_REWARD_alive, 0, 1},
        {QI_REWARD_fall, 0, 0},
    };
    CHECK(sizeof all / sizeof *all == QI_REWARD_KINDS, "a term has no test");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK(all[i].kind == (qi_reward_kind)i, "order");
        double x = worth(all[i].kind, all[i].param, &o);
        CHECK(fabs(x - all[i].want) < 1e-9 * (1 + fabs(all[i].want)), "%s: %.12g, expected %.12g",
              qi_reward_name[i], x, all[i].want);
    }
}

TEST(standing_falling_and_leaning_count) {
    qi_look o = look();
    o.command = none;
    CHECK_NEAR(worth(QI_REWARD_stand, 0, &o), 0.2 + 0.5, 1e-12);
    CHECK_NEAR(worth(QI_REWARD_air_time, 0.3, &o), 0, 0); // told to stand: no prize for steps
    o.ended = true;
    CHECK_NEAR(worth(QI_REWARD_fall, 0, &o) * o.dt, 1, 1e-12);
    const double lean[7] = {0, 0, 0.3, cos(0.25), sin(0.25), 0, 0}; // rolled by half a radian
    o.pose = lean;
    CHECK_NEAR(worth(QI_REWARD_level, 0, &o), sin(0.5) * sin(0.5), 1e-12);
}

TEST(goals_count_when_reached_and_objects_as_they_move) {
    qi_look o = look();
    o.reached = true;
    CHECK_NEAR(worth(QI_REWARD_reached, 0, &o) * o.dt, 1, 1e-12);
    o.off = 0.45;
    CHECK_NEAR(worth(QI_REWARD_at_goal, 0, &o), 0, 0);
    o.off = 2;
    CHECK_NEAR(worth(QI_REWARD_orientation, 1.2, &o), 0, 0);
    qi_recipe r = {.nreward = 1, .reward = {{QI_REWARD_closer, 1, 0}}};
    qi_past p = past();
    p.off = NAN; // a new goal: nothing was come closer to
    CHECK_NEAR(qi_reward_step(&r, &o, &p, NULL), 0, 0);
    CHECK(p.off == 2 && memcmp(p.object, object, sizeof object) == 0, "the step was not kept");
    const double next[7] = {0.5, 0.01, 0.1, 0.8 - 0.6 * 0.005, 0, 0, 0.6 + 0.8 * 0.005};
    o.object = next;
    qi_reward_object_speeds(&o, &p);
    CHECK_NEAR(o.object_vel[1], 0.01 / 0.02, 1e-12);
    CHECK_NEAR(o.object_spin[2], 0.01 / 0.02, 1e-4); // twice the half angle
    p.fresh = true;
    qi_reward_object_speeds(&o, &p);
    CHECK(o.object_vel[1] == 0 && o.object_spin[2] == 0, "a fresh world has speeds");
}

TEST(a_fresh_world_has_no_speeds_yet) {
    qi_look o = look();
    qi_recipe r = {.nreward = 2, .reward = {{QI_REWARD_slip, 1, 0}, {QI_REWARD_joint_accel, 1, 0}}};
    qi_past p = {.fresh = true};
    CHECK_NEAR(qi_reward_step(&r, &o, &p, NULL), 0, 0);
    CHECK(!p.fresh && p.foot[1][2] == 0.07 && p.qd[1] == -3, "the step was not kept");
    CHECK(p.air[0] == 0 && p.air[1] == 0.02, "air %g %g", p.air[0], p.air[1]);
}
