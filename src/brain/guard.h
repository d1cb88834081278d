// SPDX-License-Identifier: Apache-2.0
// guard.h - what may not happen, whatever a brain says: limits, what they do, and for how long.
// A guard has three rungs. soft: the command is limited and the event noted; damp: kp 0, kd the
// drive's, tau 0, as long as it lasts; stop: the same until the reset.
// Nothing here allocates, locks, logs or reads a clock after qi_guards_new.
#ifndef QI_BRAIN_GUARD_H
#define QI_BRAIN_GUARD_H

#include "model/yaml.h"
#include "qiao/brain.h"

enum { QI_GUARD_JOINTS = 64, QI_GUARD_NAME = 64, QI_GUARD_EVENTS = 12 };

// From which value on each rung holds; INFINITY: never. command: how far commands may go before
// they are limited. Units: see qi_guard_default.
typedef struct qi_guard_rungs {
    double soft, damp, stop, command;
} qi_guard_rungs;

typedef struct qi_guard_joint { // limits of the joints whose name fits match; NAN: the robot's own
    char match[QI_GUARD_NAME];
    double range[2];                     // rad or m
    double speed, torque, speed_command; // speed_command: of the target
} qi_guard_joint;

typedef struct qi_guard_def {
    qi_guard_rungs rung[QIAO_GUARD_COUNT];
    double height_min, height_max; // m, base above the ground; NAN: not bounded
    double power;                  // W of all drives; NAN: what the drives can give at most
    double age;                    // s that a signal may be old; NAN: by its own rate and delay
    double damp_s;                 // damping that lasts longer is a stop
    int njoint;
    qi_guard_joint joint[QI_GUARD_JOINTS];
} qi_guard_def;

// What holds without a word in a manifest: wide enough for any healthy machine.
//   tilt      rad from the attitude of the rest pose
//   height    m outside height_min..height_max
//   position  outside the joint's range, as a share of that range
//   velocity, torque, power, jump  times the limit; jump: of the target's speed
//   stale     times the age that is allowed;  frozen, deadline  samples, steps in a row
qi_guard_def qi_guard_default(void);
// The block `guards:` of a manifest. Keys that are not there leave def as it is. false: fault in
// y->d with file:line:col.
bool qi_guard_read(qi_yaml *y, yaml_node_t *map, qi_guard_def *def);

// ---- guards of n worlds ----

typedef struct qi_guards qi_guards;

// need: signals that the brain reads (for stale ones), NULL-terminated or NULL.
qi_guards *qi_guards_new(const qi_guard_def *def, const qiao_io *io, const char *const *need, int n,
                         qiao_diag *d);
void qi_guards_free(qi_guards *g);
void qi_guards_reset(qi_guards *g, int world);
// Before the brain sees obs. Returns the live rows: obs->live, or, if a row holds a number that is
// not finite, an own array without it.
const uint8_t *qi_guards_see(qi_guards *g, const qiao_obs *obs);
// After the brain has spoken: limits, damps or stops each live row. Returns the worst: E_NAN or
// E_LIMIT if a world is stopped (first one in world), else OK.
qiao_err qi_guards_act(qi_guards *g, const qiao_obs *obs, qiao_cmd *c, const char *who, int *world);
// Why a world is stopped; NULL: it is not.
const char *qi_guards_fault(const qi_guards *g, int world);
// Damping of one row, which is not looked at further.
void qi_guards_damp(const qi_guards *g, qiao_cmd *c, int world);
// The step of this world came late or not at all (real-time loop); looked at in the next step.
void qi_guards_late(qi_guards *g, int world);
// The brain itself is gone: noted as a stop.
void qi_guards_gone(qi_guards *g, qiao_guard what, int64_t t_ns, int world);
qiao_rung qi_guards_rung(const qi_guards *g, int world);
int qi_guards_events(qi_guards *g, int world, qiao_guard_event *ev, int cap);

#endif
