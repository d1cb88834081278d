// SPDX-License-Identifier: Apache-2.0
// ctl/legs.h - the parts of a walking robot's mind, one file each.
//   frames  w: odometry world (z up, starts under the robot), b: base, y: base turned by yaw only
//   legs    in the order of the robot's feet; pairs are told by where the feet rest
#ifndef QI_CTL_LEGS_H
#define QI_CTL_LEGS_H

#include "ctl/vec.h"
#include "qiao/ctl.h"

enum { NLEG = 4 };

// TROT: diagonal legs together, balanced by stepping. CRAWL: one leg at a time, the body over the
// others; for tall steps.
typedef enum legs_mode { LEGS_TROT, LEGS_CRAWL } legs_mode;

// legs_body.c - fixed facts of the body
struct qiao_ctl_quad {
    qiao_ctl_leg leg[NLEG];
    double mass, com[3], inertia[9]; // whole robot at rest pose: about com, base axes
    double trunk_mass, trunk_com[3];
    double rest_q[NLEG][3], rest_foot[NLEG][3]; // base frame
    double height;                              // base over the soles at rest
    double length;                              // of a leg, hip to foot, stretched
    double offset[2][NLEG];                     // in the cycle of each legs_mode
    double imu_rot[9], imu_pos[3];              // site in the base
    double payload[3];
    double shank[NLEG][3]; // from foot to knee at rest, base frame
};
void qi_leg_trunk(const qiao_robot *r, double *mass, double com[3], double I[9]); // leg.c

// legs_est.c - where the body is and how it moves
typedef struct legs_est {
    double quat[4], R[9], yaw;        // base to world
    double w_b[3], w_w[3], a_w[3];    // turning rate, acceleration without gravity
    double p[3], v[3], foot[NLEG][3]; // base, contact points of ball feet
    double P[6][6];                   // covariance of p, v, foot 0..3; the same for x, y and z
    bool held[NLEG];                  // foot was trusted to stand still
    double slip[NLEG];                // m/s that it seems to move, filtered
    qiao_ctl_leg_pose pose[NLEG];     // base frame
    double foot_b[NLEG][3];           // ball centres, base frame
} legs_est;
void legs_est_init(legs_est *e, const qiao_ctl_quad *b, const qiao_ctl_walk_in *in);
// trust: 0 swings .. 1 stands
void legs_est_step(legs_est *e, const qiao_ctl_quad *b, const qiao_ctl_walk_in *in,
                   const double trust[NLEG]);
void legs_foot_w(const legs_est *e, int leg, double out[3]); // ball centre, world

// legs_ground.c - a map of heights that scrolls with the robot
enum { MAP_N = 128, TRAIL_N = 128 };
#define MAP_STEP 0.025
typedef struct legs_ground {
    float z[MAP_N][MAP_N], t[MAP_N][MAP_N];   // height, time it was seen (< 0: never)
    short cx[MAP_N][MAP_N], cy[MAP_N][MAP_N]; // which cell of the plane a slot holds
    double trail[TRAIL_N][5];                 // t, p, yaw of late: scans arrive late
    int ntrail;
    double scan_t;   // of the last one taken in, -1: none
    double plane[3]; // z = plane[0] + plane[1] x + plane[2] y through the last footholds
    double contact[NLEG][3];
} legs_ground;
void legs_ground_init(legs_ground *g, const double foot[NLEG][3]);
void legs_ground_step(legs_ground *g, const legs_est *e, const qiao_ctl_walk_in *in);
void legs_ground_touch(legs_ground *g, int leg, const double p[3]); // a foot stands at p
bool legs_ground_seen(const legs_ground *g, double x, double y, double *z);
double legs_ground_height(const legs_ground *g, double x, double y); // map, else plane
// Spread of heights within r of a point, m.
double legs_ground_spread(const legs_ground *g, double x, double y, double r, double *top);
// Highest point between two points, m.
double legs_ground_top(const legs_ground *g, const double a[3], const double b[3]);

// legs_force.c - forces at the feet for a wish at the body
typedef struct legs_force_in {
    int n;                              // feet that carry
    double r[NLEG][3], normal[NLEG][3]; // from the centre of mass, world
    double max[NLEG];                   // N along the normal
    double last[NLEG][3];               // forces of the step before
    double mu;
    double wrench[6]; // wished: force, torque about the centre of mass
} legs_force_in;
qiao_err legs_force_solve(const legs_force_in *in, void *qp_mem, double f[NLEG][3]);

// legs_walk.c
typedef struct legs_leg {
    bool swing, carries;          // by the clock; by the clock and the sensor
    bool early;                   // touched before its time
    double s;                     // swing 0..1
    double t_stance;              // s since touch-down
    double t_air;                 // s without contact while it should carry
    double t_touch;               // s of contact without break
    double lift[3], aim[3], apex; // ball centre, world
    double probe;                 // m that it has felt downward
    double f[3];                  // last force on the ground's side, world
} legs_leg;
struct qiao_ctl_walk {
    const qiao_ctl_quad *b;
    legs_est est;
    legs_ground ground;
    legs_leg leg[NLEG];
    bool begun, standing;
    legs_mode mode, want_mode;
    double upset;       // s left of recovering from a push met while crawling
    bool waiting;       // the clock waits
    double step_seen;   // m, tallest step near, held for a while
    double p_mid[2];    // crawl: middle of the four footholds, world
    double p_body[2];   // crawl: where the body is to be, world
    double clock, hold; // cycle 0..1; s that the clock waited
    double t_swing, t_stance;
    double cmd[3]; // smoothed
    double p_ref[2], yaw_ref, z_ref;
    double sum[3]; // integrals: height N, roll and pitch N*m
    double com[3]; // centre of mass, base frame
    double rough;  // 0 smooth .. 1 rough, filtered
    _Alignas(16) unsigned char qp[sizeof(double) * (2 * 24 * 24 + 8 * 24) + 512];
};

#endif
