// SPDX-License-Identifier: Apache-2.0
// policy.h - a manifest and its networks as a brain in this process.
// memory   open may allocate; a bound policy lives in one block of the caller's and its steps never
//          allocate, lock, log or read a clock
// threads  an open policy is const but for nothing: any number of bound ones, each with its block
#ifndef QI_BRAIN_POLICY_H
#define QI_BRAIN_POLICY_H

#include "brain/manifest.h"
#include "qiao/dyn.h"

enum { QI_POLICY_NEED = 24, QI_POLICY_PORTS = 24 };

typedef struct qi_policy {
    qi_manifest *m; // owned
    qiao_nn *net, *enc;
    int in_obs, in_time, out_act; // ports of net; in_time -1: none
    int in_enc, out_enc;          // ports of enc
    int st_in[QI_MAN_STATES], st_out[QI_MAN_STATES];
    int mo_q, mo_qd, mo_pos, mo_quat; // outputs that are the motion, -1: none
    bool motion;                      // some term or the action reads the motion
    int nneed;
    const char *need[QI_POLICY_NEED + 1]; // signals, NULL-terminated
    uint8_t digest[QIAO_HASH_BYTES];      // of manifest and networks
} qi_policy;

// Takes the manifest over. type overrides the manifest's if >= 0. NULL and d filled on a fault: a
// network that is not there, that has other sizes than the manifest's terms, unknown names.
qi_policy *qi_policy_open(qi_manifest *m, int type, qiao_diag *d);
// The same with a network that is at hand (taken over): one that is being trained.
qi_policy *qi_policy_open_net(qi_manifest *m, qiao_nn *net, qiao_diag *d);
void qi_policy_close(qi_policy *p);
double qi_policy_rate(const qi_policy *p); // steps a second

// As in qiao_brain_api.
typedef struct qi_bound qi_bound;
size_t qi_policy_size(const qi_policy *p, const qiao_io *io, int n, qiao_diag *d);
qiao_err qi_policy_init(const qi_policy *p, void *mem, const qiao_io *io, int n, qiao_diag *d);
void qi_policy_reset(void *mem, int world);
// A world that was just reset begins as if it had decided so often: later in its motion and clock.
void qi_policy_start(void *mem, int world, int64_t decided);
qiao_err qi_policy_step(void *mem, const qiao_obs *obs, qiao_cmd *cmd);

// A step in its halves, for a trainer that stands between them in the network's place.
//   see  what goes into the policy network: rows [due][obs.size]; how many worlds decide, in their
//        order
//   say  takes what came out, rows [due][njoint], and writes the commands of all live worlds
int qi_policy_see(void *mem, const qiao_obs *obs, const float **rows);
// Where the gait's clock has each foot of a world now, 0..1; -1: it says nothing of that one.
void qi_policy_phases(const void *mem, int world, int n, double *phase);
void qi_policy_say(void *mem, const qiao_obs *obs, const float *rows, qiao_cmd *cmd);

// The same for worlds from .. to - 1 alone, rows by world: parts may run at once where apart, asked
// once before, says so, and every world decides at every step. see_part returns rows [n][obs.size],
// filled there.
bool qi_policy_apart(void *mem);
const float *qi_policy_see_part(void *mem, const qiao_obs *obs, int from, int to);
void qi_policy_say_part(void *mem, const qiao_obs *obs, const float *rows, qiao_cmd *cmd, int from,
                        int to);

// The way back: what a policy would have to say for the drives to do what row `world` of cmd says,
// between see and say. Where gains differ the same torque at this moment is meant, and a position
// target that gives it; q, qd [njoint] are the joints' own. False: some joint cannot do it.
bool qi_policy_ask(const void *mem, const qiao_obs *obs, int world, const double *q,
                   const double *qd, const qiao_cmd *cmd, float *action);

// Somebody else drove: world's drives were told row `row` of cmd instead of what the policy said at
// its last decision, seeing x. Its memory of its own last action and target becomes that.
void qi_policy_did(void *mem, int world, const double *x, const qiao_cmd *cmd, int row);

// What went into the policy network at the last decision of a world, [obs.size]; what came out,
// [njoint]: for the doctor and for tests.
const float *qi_policy_input(const void *mem, int world);
const double *qi_policy_action(const void *mem, int world);

// ---- shared by policy_*.c ----

typedef struct qi_bterm { // a term bound to a body
    const qi_term *t;
    int adr;         // of its signal in a row of x, -1: made of no signal
    const int *jadr; // [njoint] of each joint's number
    int goal;        // of the goal's signal
    int body, site;  // of the robot, -1: none
} qi_bterm;

typedef struct qi_bgroup {
    const qi_obs_group *g;
    const qi_bterm *t; // [nterm]
    float *hist;       // [n][size]
} qi_bgroup;

typedef struct qi_wstate { // of one world
    int64_t count;         // commands since the reset
    int64_t decided;       // decisions
    double phase;
    bool begun, standing;
} qi_wstate;

typedef struct qi_now { // what one world's terms share at one decision
    const double *x;    // its row
    int w;
    double q_wb[4], q_ws[4]; // base, IMU to world
    double cmd[3], speed;
    bool still;                            // the command is below clock.stand_below
    const double *mq, *mqd, *mpos, *mquat; // of the motion
    bool placed;                           // kinematics are those of this world
    const float *enc;
} qi_now;

struct qi_bound {
    const qi_policy *p;
    const qi_manifest *m;
    const qiao_io *io;
    int n, nj;
    int quat, command;       // signals' places in a row, -1: none
    int sig_joint;           // the signal joint_pos, for its stamp
    double q_bs[4], R_bs[9]; // IMU site in the base
    const int *act;          // [nj] actuator of a joint in io's order
    const int *qadr, *vadr;  // [nj] place of a joint's position and velocity in a row
    const double *lo, *hi;   // [nj] reach of the target; lo > hi: none
    const double *hold;      // [nu][3] q, kp, kd of all actuators
    qi_bgroup obs, enc;
    qi_wstate *ws;                         // [n]
    double *raw, *clipped, *sent, *target; // [n][nj]
    double *before;                        // [n][nj] target before the last decision
    float *state;                          // [n][all state numbers]
    int nstate;                            // numbers of a world
    int ndue, *due;                        // [n] worlds that decide in this step
    // networks: one row a deciding world
    float *in[QI_POLICY_PORTS], *out[QI_POLICY_PORTS], *ein, *eout[QI_POLICY_PORTS];
    void *work, *ework;
    // kinematics of the robot, for bodies that the joints move
    qiao_dyn *dyn;
    double *q;          // [nq]
    const int *jq, *jx; // [njq] coordinate of q and place in a row
    int njq, base_pose, base_q;
    double (*place)[4]; // [n] where the base of a fixed robot is: x y z yaw
    double *scratch;    // numbers of the largest term
    double *mrow;       // [n][7 + 2 nj] the motion when the network holds it
};

void qi_now_make(const qi_bound *k, int w, const double *x, qi_now *now);
void qi_observe(const qi_bound *k, const qi_bgroup *g, qi_now *now, bool first, float *hist);

#endif
