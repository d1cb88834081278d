// SPDX-License-Identifier: Apache-2.0
// plug.h - a good plug-in whose parts each bad one replaces: define a macro, then include this.
#include "qiao/brain.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PLUG_ABI
#define PLUG_ABI QIAO_BRAIN_ABI
#endif
#ifndef PLUG_BYTES
#define PLUG_BYTES sizeof(qiao_brain_api)
#endif
#ifndef PLUG_NAME
#define PLUG_NAME "plug"
#endif
#ifndef PLUG_RATE
#define PLUG_RATE 50
#endif
#ifndef PLUG_NEED
#define PLUG_NEED "joint_pos"
#endif
#ifndef PLUG_SIZE
#define PLUG_SIZE 64
#endif
#ifndef PLUG_INIT // statement
#define PLUG_INIT
#endif
#ifndef PLUG_STEP // statement; called as (mem, obs, cmd)
#define PLUG_STEP
#endif
#ifndef PLUG_ENTRY
#define PLUG_ENTRY &api
#endif

static inline size_t plug_size(const qiao_io *io, int n, qiao_diag *d) {
    (void)io, (void)n, (void)d;
    return PLUG_SIZE;
}
static inline qiao_err plug_init(void *mem, const qiao_io *io, int n, qiao_diag *d) {
    (void)mem, (void)io, (void)n, (void)d;
    PLUG_INIT;
    return QIAO_OK;
}
static inline void plug_reset(void *mem, int world, uint64_t seed) {
    (void)world;
    memcpy(mem, &seed, sizeof seed);
}
// Follows the first signal, plus what reset gave: q = x[i] + seed.
static inline qiao_err plug_step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    uint64_t seed;
    memcpy(&seed, mem, sizeof seed);
    for (int w = 0; w < obs->n; w++)
        for (int i = 0; i < cmd->nu; i++) {
            int k = w * cmd->nu + i;
            cmd->q[k] = obs->x[w * obs->nobs + i] + (double)seed;
            cmd->qd[k] = cmd->tau[k] = 0, cmd->kp[k] = cmd->kd[k] = -1;
        }
    PLUG_STEP;
    return QIAO_OK;
}

#ifndef PLUG_API_STEP
#define PLUG_API_STEP plug_step
#endif
static const qiao_brain_api api = {
    .abi = PLUG_ABI,
    .bytes = PLUG_BYTES,
    .name = PLUG_NAME,
    .version = "1",
    .rate_hz = PLUG_RATE,
    .need = (const char *const[]){PLUG_NEED, NULL},
    .size = plug_size,
    .init = plug_init,
    .reset = plug_reset,
    .step = PLUG_API_STEP,
};
#ifndef PLUG_NO_ENTRY
__attribute__((visibility("default"))) const qiao_brain_api *qiao_brain_entry(void);
const qiao_brain_api *qiao_brain_entry(void) { return PLUG_ENTRY; }
#else
__attribute__((visibility("default"))) const void *something_else(void);
const void *something_else(void) { return &api; }
#endif
