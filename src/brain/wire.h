// SPDX-License-Identifier: Apache-2.0
// wire.h - the frames that a runner and a brain in another process exchange (docs/brain.md).
// Pure functions over bytes: nothing here reads, waits or allocates. What comes from the other
// side is hostile: every length is checked before it is used.
#ifndef QI_BRAIN_WIRE_H
#define QI_BRAIN_WIRE_H

#include "qiao/brain.h"

enum {
    QI_WIRE_MAGIC = 0x31524251,   // "QBR1"
    QI_WIRE_HEAD = 16,            // magic u32, type u32, payload bytes u32, sequence u32
    QI_WIRE_TEXT = 4096,          // most bytes of an error text or a hello
    QI_WIRE_NEED = 64,            // most signals a brain may ask for
    QI_WIRE_NAME = 64,            // most bytes of a name with its final 0
    QI_WIRE_MOST = 1 << 30,       // bytes of a payload
    QI_WIRE_BIND_MOST = 16 << 20, // bytes of a body
};

typedef enum qi_wire_type {
    QI_WIRE_HELLO = 1, // both ways
    QI_WIRE_BIND,      // runner: the body, JSON
    QI_WIRE_RESET,     // runner: u32 world, u32 0, u64 seed
    QI_WIRE_STEP,      // runner: observation
    QI_WIRE_BYE,       // runner: end
    QI_WIRE_READY,     // brain: bind or reset is done
    QI_WIRE_COMMAND,   // brain: answer to a step
    QI_WIRE_ERROR,     // brain: text, why it cannot go on
    QI_WIRE_TYPES,
} qi_wire_type;
const char *qi_wire_name(uint32_t type); // "hello"; "unknown" if it is none

typedef struct qi_frame {
    uint32_t type, seq, bytes;
    const uint8_t *data; // [bytes] inside the caller's buffer
} qi_frame;

// What a brain says of itself; need points into text.
typedef struct qi_hello {
    uint32_t abi;
    double rate_hz;
    int nneed;
    const char *name, *version, *need[QI_WIRE_NEED + 1];
    char text[QI_WIRE_TEXT];
} qi_hello;

void qi_wire_head(uint8_t *p, uint32_t type, uint32_t bytes, uint32_t seq);

// Reads the frame at the start of p[have]; a payload may have at most limit bytes.
// Returns its whole length, 0 if more bytes are needed, or -1 and the fault in d (E_PEER).
int64_t qi_wire_frame(const uint8_t *p, size_t have, uint32_t limit, qi_frame *f, qiao_diag *d);

// Hello of a brain: abi u32, nneed u32, rate f64, then name, version, needs, each ended by 0.
size_t qi_wire_put_hello(uint8_t *p, size_t cap, const qiao_brain_api *api); // 0: does not fit
qiao_err qi_wire_get_hello(const qi_frame *f, qi_hello *h, qiao_diag *d);

// Step: n, nobs, nsig, nu u32; t [n] i64; stamp [n][nsig] i64; x [n][nobs] f64; live [n] u8.
// Payload bytes; 0 if it is more than a frame may carry.
uint32_t qi_wire_step_bytes(int n, int nobs, int nsig);
void qi_wire_put_step(uint8_t *p, const qiao_obs *obs, int nu);
// Points obs into the frame (which is 8-byte aligned). Shapes must be these, worlds at most nworld.
qiao_err qi_wire_get_step(const qi_frame *f, int nworld, int nobs, int nsig, int nu, qiao_obs *obs,
                          qiao_diag *d);

// Command: q, qd, kp, kd, tau [n][nu] f64 each. 0 if it is more than a frame may carry.
uint32_t qi_wire_command_bytes(int n, int nu);
void qi_wire_put_command(uint8_t *p, const qiao_cmd *cmd);
// Writes the rows of cmd whose world is live (live NULL: all).
qiao_err qi_wire_get_command(const qi_frame *f, const uint8_t *live, qiao_cmd *cmd, qiao_diag *d);

// Text of a peer made fit for a terminal: control bytes become spaces, ends trimmed.
void qi_wire_clean(char *out, size_t cap, const void *text, size_t bytes);

// Are all numbers of world w finite? E_NAN and the actuator's name if not.
qiao_err qi_command_check(const qiao_cmd *cmd, int w, const char *const *act_name, qiao_diag *d);

#endif
