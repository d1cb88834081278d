// SPDX-License-Identifier: Apache-2.0
// qiao/model.h - a robot or a whole world as flat const arrays, and the signals it speaks in.
// units    SI: m, rad, s, kg, N; quaternions w x y z
// memory   owned by the loader; all arrays const and valid until _free
// threads  a loaded model is const: share it
// source   MJCF and URDF are compiled by MuJoCo's own compiler; inertias are its diagonal ones
#ifndef QIAO_MODEL_H
#define QIAO_MODEL_H

#include "qiao/base.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

struct mjModel_; // MuJoCo's compiled model

typedef enum qiao_joint_type { // the numbers are MuJoCo's
    QIAO_JOINT_FREE = 0,
    QIAO_JOINT_BALL = 1,
    QIAO_JOINT_SLIDE = 2,
    QIAO_JOINT_HINGE = 3,
} qiao_joint_type;

// A compiled model. Element 0 of bodies is the world. Names are never NULL ("" if unnamed).
typedef struct qiao_model {
    int nq, nv, nu, nbody, njnt, ngeom, nsite, nmesh, nkey;
    double dt; // physics step
    double gravity[3];
    bool tendon_armature;          // some tendon carries inertia, which room dyn does not have
    uint8_t hash[QIAO_HASH_BYTES]; // of the compiled model: the same for the same content

    const char *const *body_name; // [nbody]
    const char *const *jnt_name;  // [njnt]
    const char *const *act_name;  // [nu]
    const char *const *geom_name; // [ngeom]
    const char *const *site_name; // [nsite]
    const char *const *key_name;  // [nkey]

    const int *body_parent;     // [nbody]
    const int *body_jntadr;     // [nbody] first joint, -1 if none
    const int *body_jntnum;     // [nbody]
    const double *body_pos;     // [nbody][3] in the parent's frame
    const double *body_quat;    // [nbody][4]
    const double *body_mass;    // [nbody]
    const double *body_ipos;    // [nbody][3] centre of mass in the body's frame
    const double *body_iquat;   // [nbody][4] principal axes
    const double *body_inertia; // [nbody][3] about the principal axes

    const int *jnt_type;          // [njnt] qiao_joint_type
    const int *jnt_body;          // [njnt]
    const int *jnt_qadr;          // [njnt] first coordinate in q
    const int *jnt_vadr;          // [njnt] first coordinate in qd
    const double *jnt_pos;        // [njnt][3] anchor in the body's frame
    const double *jnt_axis;       // [njnt][3]
    const double *jnt_range;      // [njnt][2]; both 0 if unlimited
    const double *dof_armature;   // [nv]
    const double *dof_damping;    // [nv]
    const double *dof_friction;   // [nv] friction loss
    const int *act_joint;         // [nu] joint it drives, -1 if it drives something else
    const double *act_gear;       // [nu] of the first axis
    const double *act_ctrlrange;  // [nu][2]; both 0 if unlimited
    const double *act_forcerange; // [nu][2] at the actuator; both 0 if unlimited

    const int *geom_type;    // [ngeom] MuJoCo's mjtGeom
    const int *geom_body;    // [ngeom]
    const int *geom_mesh;    // [ngeom] mesh or -1
    const int *geom_group;   // [ngeom] 0..5; group 3 is collision only and not drawn
    const double *geom_size; // [ngeom][3]
    const double *geom_pos;  // [ngeom][3]
    const double *geom_quat; // [ngeom][4]
    const float *geom_rgba;  // [ngeom][4]
    const int *site_body;    // [nsite]
    const double *site_pos;  // [nsite][3]
    const double *site_quat; // [nsite][4]
    const double *qref;      // [nq] pose in which the tree is as body_pos and body_quat say
    const double *q0;    // [nq] pose at the start: the reference, or the robot's rest in a world
    const double *key_q; // [nkey][nq]

    const struct mjModel_ *mj; // the compiled model itself, for engine mujoco and pictures
    qiao_arena *arena;         // owner of the names
} qiao_model;

// Reads MJCF or URDF (told apart by content). NULL and a filled diag on any fault.
qiao_model *qiao_model_load(const char *path, qiao_diag *d);
void qiao_model_free(qiao_model *m);
// Index of a name or -1; *_find fill d with the nearest names (E_NAME) when there is none.
int qiao_model_body(const qiao_model *m, const char *name);
int qiao_model_joint(const qiao_model *m, const char *name);
int qiao_model_actuator(const qiao_model *m, const char *name);
int qiao_model_site(const qiao_model *m, const char *name);
int qiao_model_geom(const qiao_model *m, const char *name);
double qiao_model_mass(const qiao_model *m); // of all bodies

// ---- signals: what sensors say and what actuators take, bound by name (law 2) ----

typedef enum qiao_sensor_kind {
    QIAO_SENSE_JOINT_POS,    // [njoint] rad or m; encoders of the robot's hinge and slide joints
    QIAO_SENSE_JOINT_VEL,    // [njoint] rad/s or m/s
    QIAO_SENSE_JOINT_TAU,    // [nu] N*m or N: what the drives say they deliver
    QIAO_SENSE_IMU_QUAT,     // [4] turns site vectors into world vectors
    QIAO_SENSE_IMU_GYRO,     // [3] rad/s, site frame
    QIAO_SENSE_IMU_ACC,      // [3] m/s2, site frame, gravity included (at rest: +g up)
    QIAO_SENSE_FOOT_CONTACT, // [nfoot] 1 touching, 0 not
    QIAO_SENSE_FOOT_FORCE,   // [nfoot][3] N on the foot, world frame
    QIAO_SENSE_WRENCH,       // [6] force N, torque N*m that the robot feels at its tool, site frame
    QIAO_SENSE_BASE_POSE,    // [7] position m, quaternion of the base in the world: granted only
    QIAO_SENSE_BASE_VEL,     // [3] m/s of the base in its own frame: granted only
    QIAO_SENSE_BODY_POSE,    // [nname][7] position, quaternion of named bodies: granted only
    QIAO_SENSE_HEIGHT_SCAN,  // [grid] m: ground height less base height on a yaw-aligned grid
    QIAO_SENSE_COMMAND,      // [dim] written by the task (an operator's wish), not by physics
} qiao_sensor_kind;

// One sensor: what it reads and how badly. Noise is Gaussian per sample, bias constant in a trial.
typedef struct qiao_sensor {
    qiao_sensor_kind kind;
    const char *name;           // signal name, unique: "joint_pos", "imu_gyro", "command_velocity"
    const char *unit;           // "rad", "m/s", "N", "1"
    const char *frame;          // "joint", "imu", "base", "world"
    int dim;                    // doubles in the signal; 0: the model room works it out
    int nname;                  // element names
    const char *const *element; // [nname] joint, foot or body names; NULL: the robot's own order
    double rate_hz;             // 0: every control step
    double noise, bias;         // standard deviations, in the signal's unit
    double delay;               // s from sample to arrival
    int grid_n[2];              // height scan: points along base x and y
    double grid_step;           // m
    double grid_center[2];      // m, middle of the grid in the yaw-aligned base frame
} qiao_sensor;

// A drive: PD at its own rate, with the limits of motor, gearbox and supply.
// tau = clip(kp (q* - q) + kd (qd* - qd) + tau*), |tau| <= torque_max, and no torque that pushes
// further once |qd| > speed_max; between speed_knee and speed_max the limit falls linearly.
typedef struct qiao_drive {
    double kp, kd;                // taken when the command's kp and kd are negative
    double torque_max;            // N*m or N; 0: unlimited
    double speed_knee, speed_max; // rad/s; 0: unlimited
    double rate_hz;               // of the PD loop; 0: every physics step
    double delay;                 // s from command to effect
    double armature;              // kg*m2 reflected rotor inertia; <0: as the model says
    bool native; // the model's own law (MuJoCo affine actuator): command q is its ctrl
} qiao_drive;

// What a robot is beyond its MJCF: robots/x/robot.yaml, or guessed for a bare MJCF or URDF.
typedef struct qiao_robot {
    const char *name, *title, *title_zh, *kind; // kind: legged, arm, hand, humanoid, other
    const char *path;                           // of the MJCF or URDF
    qiao_model *model;                          // the robot alone, no ground
    int base;                                   // body that a scenario places
    int nfoot;
    const int *foot_site;    // [nfoot]; foot name = site name
    int tool_site, imu_site; // -1: none
    const char *gripper;     // actuator that closes the hand, NULL: none
    const double *rest_q;    // [nq] default pose
    const qiao_drive *drive; // [nu]
    int nsensor;
    const qiao_sensor *sensor;     // what the machine carries, dims worked out
    double payload_pos[3];         // m, where a load is put, base frame
    uint8_t hash[QIAO_HASH_BYTES]; // of model and drives and sensors
    qiao_arena *arena;
    const char *file;               // what was read: robot.yaml, or the model itself
    const struct qiao_adapt *adapt; // what robot.yaml changes in the model's file; NULL: nothing
} qiao_robot;

// By name ("go2": robots/go2 under the data folder) or by path of an MJCF, URDF or robot.yaml.
// The data folder is $QIAO_HOME, else beside the program, else the working directory.
qiao_robot *qiao_robot_load(const char *name_or_path, qiao_diag *d);
void qiao_robot_free(qiao_robot *r);
// Names of the robots at hand; count returned, at most cap written.
int qiao_robot_list(qiao_arena *a, const char **names, int cap);
// Data folder as described above.
const char *qiao_home(void);

// What one robot in one scenario says and takes: the order of every obs and cmd array.
typedef struct qiao_signal {
    const char *name, *unit, *frame;
    int adr, dim;
    int nname;                  // element names
    const char *const *element; // [nname]
    double rate_hz;
    int grid_n[2];                    // height scan, as in qiao_sensor; else all 0
    double grid_step, grid_center[2]; // m
} qiao_signal;
typedef struct qiao_io {
    int nsig, nobs, nu;
    const qiao_signal *sig;        // [nsig]
    const char *const *act_name;   // [nu]
    const qiao_robot *robot;       // the machine: a brain may know its own body, never the world
    double period;                 // s between two brain steps
    int nworld, nparam;            // facts the scenario gives as text ("obj_1.shape" = "box"):
    const char *const *param_name; // [nparam]
    const char *const *param_text; // [nworld][nparam] each world has its own; see qiao_io_param
} qiao_io;
// The text of a fact in one world, or NULL if the scenario does not give it.
const char *qiao_io_param(const qiao_io *io, int world, const char *name);
// The signal of that name or NULL (d filled with the nearest names).
const qiao_signal *qiao_io_find(const qiao_io *io, const char *name, qiao_diag *d);

// n observations; row w belongs to world w.
typedef struct qiao_obs {
    int n, nobs, nsig;
    const int64_t *t_ns;     // [n] time of the trial
    const double *x;         // [n][nobs]
    const int64_t *stamp_ns; // [n][nsig] when each signal was sampled; -1: nothing came yet
    const uint8_t *live;     // [n] 0: this world is over, skip it; NULL: all live
} qiao_obs;

// n commands to the drives. A brain fills every row that is live.
typedef struct qiao_cmd {
    int n, nu;
    double *q, *qd, *kp, *kd, *tau; // [n][nu] each; kp, kd < 0: the drive's own
} qiao_cmd;

// ---- worlds ----

// A world: a scene (MJCF text, made by room task) with the robot put into it.
//   scene_xml  MJCF; its bodies and geoms keep their names; the robot's keep theirs. Gravity is the
//              scene's, all other options are the robot's
//   pos, yaw   where the robot's base goes
// The robot's free joint, if any, comes first in q and qd. NULL and a filled diag on any fault.
qiao_model *qiao_model_world(const qiao_robot *r, const char *scene_xml, const double pos[3],
                             double yaw, qiao_diag *d);
// Indices of the robot's own parts in a world model: same order as in the robot's model.
typedef struct qiao_part {
    const int *body, *jnt, *act, *site,
        *geom; // [robot nbody, njnt, nu, nsite, ngeom] -> world index
} qiao_part;
qiao_err qiao_model_part(const qiao_model *world, const qiao_robot *r, qiao_arena *a,
                         qiao_part *part, qiao_diag *d);

// ---- shapes and pictures ----

// Triangles of a mesh or height field geom in the geom's frame; primitives have none (nface 0).
typedef struct qiao_shape {
    int nvert, nface;
    float *vert;   // [nvert][3]; free() both
    int *face;     // [nface][3]
    float rgba[4]; // of the geom or of its material, whichever MuJoCo draws
} qiao_shape;
qiao_err qiao_model_shape(const qiao_model *m, int geom, qiao_shape *s);

typedef struct qiao_view {
    double look[3], distance, azimuth, elevation; // degrees; distance 0: fits the model
} qiao_view;
// Draws a pose (q [nq], NULL: rest) to a PNG with MuJoCo's renderer, off screen.
qiao_err qiao_model_draw(const qiao_model *m, const double *q, const qiao_view *v, int width,
                         int height, const char *png, qiao_diag *d);

#pragma GCC visibility pop
#endif
