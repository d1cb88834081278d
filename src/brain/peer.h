// SPDX-License-Identifier: Apache-2.0
// peer.h - a brain in a child process: started, asked, and ended without a trace.
// Nothing that the child does (crash, hang, garbage, flood, early end) harms or blocks the runner.
#ifndef QI_BRAIN_PEER_H
#define QI_BRAIN_PEER_H

#include "brain/wire.h"

#include <sys/types.h>

enum { QI_PEER_FD = 3, QI_PEER_TAIL = 2048 };

typedef struct qi_peer {
    pid_t pid;     // 0: none
    int sock, out; // our ends: stream socket; pipe of its stdout and stderr
    bool host;     // it is this program's own plug-in host: its error texts stand alone
    uint32_t seq;
    uint8_t *tx, *rx; // 64-byte aligned; a payload starts at tx + QI_WIRE_HEAD
    size_t tx_cap, rx_cap, rx_have;
    size_t printed;          // bytes it printed so far
    char tail[QI_PEER_TAIL]; // ring: the last of them
} qi_peer;

typedef struct qi_ask {
    uint32_t type, bytes; // of our frame; its payload is in tx
    uint32_t want, limit; // type of the answer and most bytes of its payload
    int ms;               // deadline
    const char *who;      // the brain, for errors
} qi_ask;

// Starts argv[0] in its own process group with the socket as descriptor 3, /dev/null as input and
// a pipe as output. memory_mb bounds its address space, 0: no bound.
qiao_err qi_peer_start(qi_peer *p, char *const argv[], char *const env[], int memory_mb,
                       qiao_diag *d);
// Buffers for payloads of these sizes. Anything in them is lost.
qiao_err qi_peer_buffers(qi_peer *p, size_t tx_bytes, size_t rx_bytes, qiao_diag *d);
// Sends one frame and takes its one answer. On any fault the child is ended, and d says why.
qiao_err qi_peer_ask(qi_peer *p, const qi_ask *ask, qi_frame *answer, qiao_diag *d);
// The child broke the rules: ends it. text: what it did; NULL: it hung up or (E_TIMEOUT) is mute.
qiao_err qi_peer_fault(qi_peer *p, const qi_ask *ask, qiao_err e, const char *text, qiao_diag *d);
// Says bye, waits a little, kills the whole group, reaps, closes, frees.
void qi_peer_stop(qi_peer *p);
// What it printed last. Returns bytes.
size_t qi_peer_tail(const qi_peer *p, char out[QI_PEER_TAIL + 1]);

#endif
