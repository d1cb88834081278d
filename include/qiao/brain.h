// SPDX-License-Identifier: Apache-2.0
// qiao/brain.h - the contract between a brain and a body (DESIGN law 1).
// A brain sees only qiao_obs and writes only qiao_cmd: no truth, clock, socket or file.
// A plug-in is a shared object that exports `const qiao_brain_api *qiao_brain_entry(void)`.
#ifndef QIAO_BRAIN_H
#define QIAO_BRAIN_H

#include "qiao/model.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

enum { QIAO_BRAIN_ABI = 1 };

typedef struct qiao_brain_api {
    uint32_t abi;   // QIAO_BRAIN_ABI
    uint32_t bytes; // sizeof(qiao_brain_api)
    const char *name, *version;
    double rate_hz;          // how often step wants to be called
    const char *const *need; // signals it reads, NULL-terminated; a missing one is an error at load
    // Bytes for n worlds. 0: this body does not fit; d says why.
    size_t (*size)(const qiao_io *io, int n, qiao_diag *d);
    // Lays the brain out in mem (64-byte aligned, zeroed, outlives it). io outlives it too.
    qiao_err (*init)(void *mem, const qiao_io *io, int n, qiao_diag *d);
    void (*reset)(void *mem, int world, uint64_t seed);
    // One decision for every live row of obs. Never allocates, locks, logs or reads a clock.
    qiao_err (*step)(void *mem, const qiao_obs *obs, qiao_cmd *cmd);
} qiao_brain_api;
typedef const qiao_brain_api *(*qiao_brain_entry_fn)(void);

// A brain that runs: a plug-in in this process, a plug-in in a child process, or any program that
// speaks the protocol of docs/brain.md.
typedef struct qiao_brain qiao_brain;

typedef struct qiao_brain_def {
    const char *spec; // "trot", "x.so", "x.py", a policy's file, an executable; see docs/brain.md
    bool isolate;     // run a plug-in in a child process (default for plug-ins not built in)
    int deadline_ms;  // per step of a brain in another process; 0: 200
    int n;            // worlds
    bool trust;       // run a plug-in that is not built in inside this process all the same
    int start_ms;     // to say hello, to bind, to reset a brain in another process; 0: 20000
    int memory_mb;    // address space of a brain in another process; 0: 4096, < 0: no bound
    // whose drives name the joints of a policy's file that names none; NULL: such a file is refused
    const qiao_robot *robot;
} qiao_brain_def;
qiao_brain_def qiao_brain_def_default(void);

// Finds and checks the brain (ABI, name, rate); no body yet.
qiao_brain *qiao_brain_open(const qiao_brain_def *def, qiao_diag *d);
void qiao_brain_close(qiao_brain *b);
const char *qiao_brain_name(const qiao_brain *b);
double qiao_brain_rate(const qiao_brain *b);
const char *const *qiao_brain_needs(const qiao_brain *b); // signals it reads, NULL-terminated
void qiao_brain_digest(const qiao_brain *b, uint8_t hash[QIAO_HASH_BYTES]); // of its file

// What the physics had where a policy was trained; NULL: no policy. A brain cannot change its body:
// whoever runs it compares.
typedef struct qiao_brain_training {
    double step, delay; // s; 0 and negative: not said
    int njoint;
    const char *const *joint;                    // [njoint]
    const double *armature, *damping, *friction; // [njoint] negative: not said
} qiao_brain_training;
const qiao_brain_training *qiao_brain_body(const qiao_brain *b);
// How a robot differs from that, in words; false: it does not, or nothing is said.
bool qiao_brain_differs(const qiao_brain *b, const qiao_robot *r, char *text, size_t cap);

// What a brain in another process printed last, at most 2 KB; "" if nothing. Valid until the next
// call with b.
const char *qiao_brain_output(qiao_brain *b);
// Names of the brains at hand; count returned, at most cap written.
int qiao_brain_list(qiao_arena *a, const char **names, int cap);

// Gives the brain its body, of io->nworld worlds if that is within 1..n, else of n. io must outlive
// the brain. May be called again: the brain starts afresh, and one that failed is started anew.
// A brain in another process dies with the thread that opened or bound it.
qiao_err qiao_brain_bind(qiao_brain *b, const qiao_io *io, qiao_diag *d);
qiao_err qiao_brain_reset(qiao_brain *b, int world, uint64_t seed, qiao_diag *d);
// One step for all live rows. E_PEER: it died or broke the protocol; E_TIMEOUT: it missed the
// deadline; E_NAN: garbage in the command. In each case cmd holds damping (kp 0, kd the drive's,
// tau 0), d says what happened in words, and later steps keep returning the same.
// Other codes: the brain itself gave up with that code.
// E_NAN, and E_LIMIT from a guard, concern only the worlds that qiao_brain_fault names: the other
// rows are good, and steps succeed again once those worlds are no longer live.
qiao_err qiao_brain_step(qiao_brain *b, const qiao_obs *obs, qiao_cmd *cmd, qiao_diag *d);
// Why the brain failed in this world since its reset, in words; NULL: it did not. Valid until the
// world's reset.
const char *qiao_brain_fault(const qiao_brain *b, int world);

// ---- guards: always on, for every brain (law 9); what they allow: docs/brain.md ----

#define QIAO_GUARD_LIST(X)  \
    X(FINITE, "finite")     \
    X(TILT, "tilt")         \
    X(HEIGHT, "height")     \
    X(POSITION, "position") \
    X(VELOCITY, "velocity") \
    X(TORQUE, "torque")     \
    X(POWER, "power")       \
    X(JUMP, "jump")         \
    X(STALE, "stale")       \
    X(FROZEN, "frozen")     \
    X(DEADLINE, "deadline")
typedef enum qiao_guard {
#define QIAO_GUARD_ENUM(name, word) QIAO_GUARD_##name,
    QIAO_GUARD_LIST(QIAO_GUARD_ENUM)
#undef QIAO_GUARD_ENUM
        QIAO_GUARD_COUNT
} qiao_guard;
typedef enum qiao_rung {
    QIAO_RUNG_NONE,
    QIAO_RUNG_SOFT, // the command is limited, the event noted
    QIAO_RUNG_DAMP, // kp 0, kd the drive's, tau 0, as long as it lasts
    QIAO_RUNG_STOP, // the same until the reset; the step returns E_LIMIT or E_NAN
} qiao_rung;
typedef struct qiao_guard_event { // a rung was reached
    int64_t t_ns;
    qiao_guard guard;
    qiao_rung rung;
    const char *what; // joint, actuator or signal; "" if none
    const char *unit; // of value and limit
    double value, limit;
} qiao_guard_event;

const char *qiao_guard_name(qiao_guard g); // "torque"
// "'FL_hip' 31.2 N*m, limit 28.4: damping" into text [cap].
void qiao_guard_text(const qiao_guard_event *ev, char *text, size_t cap);
// Events of a world since the last call; at most cap, count returned. More than 12 between two
// calls are not kept.
int qiao_brain_guard_events(qiao_brain *b, int world, qiao_guard_event *ev, int cap);
qiao_rung qiao_brain_guard_rung(const qiao_brain *b, int world); // in the last step
// For a real-time loop: this world's step came too late to be used. Never allocates.
void qiao_brain_late(qiao_brain *b, int world);
// Somebody else drove this world (a person, a student): its drives were told row `row` of cmd
// instead of the brain's last command, which it gave for the row x of observations. A trained policy
// then remembers that as its own last action and target, so that it goes on from there without a
// jump; other brains take no notice. Never allocates.
void qiao_brain_did(qiao_brain *b, int world, const double *x, const qiao_cmd *cmd, int row);

// The other end: runs the plug-in argv[2] for the runner at the socket $QIAO_BRAIN_FD and returns
// the exit status. The program calls it when argv[1] is "brain-host".
int qiao_brain_host_main(int argc, char **argv);

#pragma GCC visibility pop
#endif
