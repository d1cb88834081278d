// SPDX-License-Identifier: Apache-2.0
// manifest.h - what a trained network needs around it, in memory: brain.yaml or a maker's own form.
// docs/manifest.md explains the keys. All is bound by name; arrays [njoint] are in the policy's
// order.
// memory   all of it belongs to the manifest, const for readers, valid until _free
#ifndef QI_BRAIN_MANIFEST_H
#define QI_BRAIN_MANIFEST_H

#include "model/yaml.h"
#include "qiao/brain.h"
#include "qiao/nn.h"

enum {
    QI_MAN_JOINTS = 128, // most joints of a policy
    QI_MAN_TERMS = 64,   // most terms of an observation
    QI_MAN_HISTORY = 256,
    QI_MAN_STATES = 16,
    QI_MAN_LEGS = 8,
    QI_MAN_INPUT = 1 << 16, // most numbers that go into a network
};

typedef struct qi_mark { // where in the file; 0: nowhere
    int line, col;
} qi_mark;

typedef enum qi_term_kind {
    QI_TERM_GYRO,        // base_ang_vel [3] rad/s
    QI_TERM_GRAVITY,     // projected_gravity [3] unit vector down
    QI_TERM_LIN_VEL,     // base_lin_vel [3] m/s, granted
    QI_TERM_QUAT,        // base_quat [4] w x y z
    QI_TERM_EULER,       // base_euler [3] roll, pitch, yaw
    QI_TERM_COMMAND,     // velocity_commands [3] forward, left, turn
    QI_TERM_STANCE,      // cmd_stance [1] 1: stand still (the command is below clock.stand.below)
    QI_TERM_JOINT_POS,   // joint_pos [joints] less default_pose, or as it is (relative: false)
    QI_TERM_JOINT_VEL,   // joint_vel [joints]
    QI_TERM_JOINT_ERROR, // joint_error [joints] position less the last target
    QI_TERM_ACTION,      // actions [joints] the last action: raw, clipped or sent
    QI_TERM_PHASE,       // gait_phase: sin, cos or both of the clock, one for each leg
    QI_TERM_SCAN,        // height_scan [grid] m
    QI_TERM_OBJECT_POS,  // object_pos [3] of an object less that of a body or site, or of a goal
    QI_TERM_OBJECT_ROT,  // object_rot_error [6] of an object's rotation to the goal's
    QI_TERM_MOTION,      // motion_command [2 joints] positions and velocities of the motion
    QI_TERM_ANCHOR_ORI,  // motion_anchor_ori_b [6] of the motion's anchor, base frame
    QI_TERM_ANCHOR_POS,  // motion_anchor_pos_b [3]
    QI_TERM_HEIGHT,      // motion_target_height [1] of the motion's anchor
    QI_TERM_CONSTANT,    // constant [values]
    QI_TERM_SIGNAL,      // signal [dim] any signal of the body as it is
    QI_TERM_ENCODER,     // encoder [output]: what the encoder said
    QI_TERM_KINDS
} qi_term_kind;

typedef enum qi_act_source { QI_ACT_RAW, QI_ACT_CLIPPED, QI_ACT_SENT } qi_act_source;
typedef enum qi_sixd { QI_SIXD_COLUMNS, QI_SIXD_ROWS } qi_sixd; // first two columns, last two rows
typedef enum qi_phase_form {
    QI_PHASE_SINCOS,
    QI_PHASE_SIN,
    QI_PHASE_COS,
    QI_PHASE_RAW
} qi_phase_form;

// One term: value v of its kind, then scale * clip(v * to_unit) + offset.
typedef struct qi_term {
    qi_term_kind kind;
    qi_mark at;
    const char *name;   // as the file calls it
    const char *source; // signal of the body that it is made of
    const char *frame;  // "base", "imu", "world"
    const char *unit;   // what the network was trained on; to_unit makes it of SI
    double to_unit;
    int dim;                      // numbers of one frame
    int njoint;                   // joint terms: which of the policy's joints
    const int *joint;             // [njoint]
    int naxis, axis[4];           // of three axes only these; naxis 0: all
    const double *scale, *offset; // [dim]
    double clip[2];               // before the scale; both 0: none
    int history;                  // frames, 1: only now
    bool relative;                // joint_pos: less the default pose
    bool noise_free; // trained on the true value: what a simulator knows and a robot does not
    qi_act_source act;
    qi_phase_form form;
    double hz;                               // gait_phase: own frequency, 0: the clock's
    int grid[2];                             // height_scan: points along x and y
    const char *object, *relative_to, *goal; // objects: body; body or site of the robot; signal
    qi_sixd sixd;
    int at_frame, at_input; // where its numbers are: in a frame; in the input (history by term)
} qi_term;

typedef struct qi_obs_group { // what goes into one input of a network
    int nterm;
    qi_term *term; // [nterm]
    int history;   // frames of a term that has no number of its own
    bool by_term;  // all frames of a term, then the next term; else frame by frame
    bool newest_first;
    bool fill_zero;  // at the start: zeros; else the first frame repeated
    double clip;     // of all numbers after the scale, +-; 0: none
    int frame, size; // numbers of a frame; of the input
} qi_obs_group;

typedef struct qi_net {
    const char *file;           // as written
    const char *path;           // resolved; NULL: there is no such network
    const char *input, *output; // names; NULL: the only one
    qi_mark at;
} qi_net;

typedef struct qi_state { // recurrent: this output is that input of the next step
    const char *in, *out;
    qi_mark at;
} qi_state;

typedef enum qi_action_kind {
    QI_ACTION_POSITION, // target = offset + scale a
    QI_ACTION_DELTA,    // target += scale a, kept in the joint's range
    QI_ACTION_VELOCITY, // wanted velocity = offset + scale a, kp 0
    QI_ACTION_TORQUE,   // torque = offset + scale a, kp and kd 0
} qi_action_kind;

typedef enum qi_form { // which reader made it
    QI_FORM_QIAO,
    QI_FORM_PLAYGROUND,
    QI_FORM_RL_GYM,
    QI_FORM_DEPLOY,
    QI_FORM_RL_SAR,
    QI_FORM_LIMX_POINTFOOT,
    QI_FORM_LIMX_HUMANOID,
    QI_FORM_LEJU,
    QI_FORM_META_COMMA,
    QI_FORM_META_JSON,
    QI_FORM_KINDS
} qi_form;

typedef struct qi_manifest {
    qiao_arena *arena;
    qi_form form;
    const char *file; // of the manifest or the maker's file; for messages
    const char *name, *title, *title_zh, *robot, *source, *licence; // NULL: not said
    int nnote;
    const char *note[16]; // what an importer had to assume, in words

    qi_net policy, encoder;
    qiao_nn_type type;
    int nstate;
    qi_state state[QI_MAN_STATES];

    double rate_hz; // decisions of the network a second
    int loop;       // commands a decision (>1: targets are cut to the torque limit in between)
    int njoint;
    const char *const *joint;   // [njoint] in the policy's order
    const qi_mark *joint_at;    // [njoint]
    const double *default_pose; // [njoint] rad or m
    const double *kp, *kd;      // [njoint] < 0: the drive's own
    const double *torque_limit; // [njoint] 0: none; what re-clipping and guards go by

    qi_obs_group obs, enc; // of the policy; of the encoder (nterm 0: there is none)

    struct {
        qi_action_kind kind;
        const qi_action_kind *of;     // [njoint] kind of each joint (wheels: velocity)
        const double *scale, *offset; // [njoint]
        const double *clip;           // [njoint][2] of the raw action; both 0: none
        const double *reach;          // [njoint][2] of the target; both 0: none
        bool residual;                // the motion's joint positions take the place of the offset
        double reclip; // share of torque_limit that kp (target - q) - kd qd may ask for; 0: any
    } action;

    struct {
        double hz, start; // phase at the first decision
        int nleg;
        double leg[QI_MAN_LEGS];         // phase of each leg against the clock
        bool advance_first;              // the clock moves before the observation is made
        bool restart;                    // past 1 it starts at 0; else its whole part is dropped
        double stand_below, stand_phase; // a shorter command holds all legs there; 0: never
    } clock;

    struct {
        double vx[2], vy[2], yaw_rate[2]; // range it was trained for; both 0: not said
        double dead;                      // a command shorter than this is 0
    } command;

    struct {                                         // what the physics had in training
        double step;                                 // s; 0: not said
        const double *armature, *damping, *friction; // [njoint] < 0: not said
        double delay;                                // s from observation to effect; < 0: not said
    } physics;

    struct {                     // motion to follow
        const char *file, *path; // tab-separated, see docs/manifest.md
        const char *anchor;      // body
        double rate_hz;
        bool loop; // the first frame comes after the last
        const char *time, *joint_pos, *joint_vel, *body_pos, *body_quat; // ports of the network
        int body; // which of the network's bodies is the anchor
        int nframe;
        const double *frame; // [nframe][7 + 2 njoint] position, quaternion, q, qd
        qi_mark at;
    } motion;

    int nhold; // joints that the policy does not move
    struct qi_hold {
        const char *match;
        double pose, kp, kd; // pose NAN: the robot's rest; kp, kd < 0: the drive's own
        qi_mark at;
    } hold[64];

    // the block 'guards' as it stands in the file, for its own reader; NULL: none. y stays open
    // until the manifest is freed, y.d is whoever's diag is set before use.
    yaml_node_t *guards;
    qi_yaml y;
    char *text;                    // of y
    uint8_t hash[QIAO_HASH_BYTES]; // of the file, without the networks
} qi_manifest;

const char *qi_term_name(qi_term_kind k); // "base_ang_vel"
const char *qi_form_name(qi_form f);      // "unitree deploy.yaml"

// Reads any form: brain.yaml, a folder with one, a maker's YAML, an ONNX file with metadata. robot
// (or NULL) gives joint names to forms that have none. NULL and d filled on a fault. The networks
// themselves are not opened, but for metadata.
qi_manifest *qi_manifest_load(const char *path, const qiao_robot *robot, qiao_diag *d);
// The same of a text in memory; dir is where files beside it are looked for.
qi_manifest *qi_manifest_read(const char *file, const char *text, size_t n, const char *dir,
                              const qiao_robot *robot, qiao_diag *d);
void qi_manifest_free(qi_manifest *m);
// As brain.yaml. free() it. NULL: out of memory.
char *qi_manifest_write(const qi_manifest *m);
// Index of a joint or -1.
int qi_manifest_joint(const qi_manifest *m, const char *name);
// A file as a manifest names it: $QIAO_DATA/... and what stands beside dir. NULL and d on a fault.
const char *qi_manifest_path(qiao_arena *a, const char *dir, const char *file, qiao_diag *d);
// Fault in the manifest's file. Returns e.
qiao_err qi_manifest_fault(const qi_manifest *m, qi_mark at, qiao_err e, qiao_diag *d,
                           const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
