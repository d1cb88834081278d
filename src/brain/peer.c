// SPDX-License-Identifier: Apache-2.0
// peer.c - the runner's side of a brain in another process.
#define _GNU_SOURCE 1
#include "brain/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { BOUND_MEMORY = 0 }; // its shadow needs terabytes of addresses
#else
enum { BOUND_MEMORY = 1 };
#endif
enum { HANGUP_MS = 1000, BYE_MS = 500 }; // how long a child may take to end by itself

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// ---- starting ----

// Between fork and exec: only calls that are safe there. Never returns.
static _Noreturn void become(int sock, int out, char *const argv[], char *const env[],
                             int memory_mb, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    // out of the way of 0..3 first, whatever the numbers are
    int null = open("/dev/null", O_RDONLY);
    sock = fcntl(sock, F_DUPFD, 10), out = fcntl(out, F_DUPFD, 10);
    null = fcntl(null, F_DUPFD, 10);
    bool ok = dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
              dup2(sock, QI_PEER_FD) == QI_PEER_FD;
    syscall(SYS_close_range, QI_PEER_FD + 1, ~0U, 0);
    struct rlimit none = {0, 0}, most = {(rlim_t)memory_mb << 20, (rlim_t)memory_mb << 20};
    setrlimit(RLIMIT_CORE, &none);
    if (BOUND_MEMORY && memory_mb > 0) setrlimit(RLIMIT_AS, &most);
    sigset_t empty;
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, NULL);
    for (int s = 1; s < 32; s++) signal(s, SIG_DFL);
    if (ok && strchr(argv[0], '/'))
        execve(argv[0], argv, env); // execvpe would try a shell
    else if (ok)
        execvpe(argv[0], argv, env);
    const char *why = strerrordesc_np(errno);
    static const char text[] = "cannot be run: ";
    if (write(2, text, sizeof text - 1) < 0 || (why && write(2, why, strlen(why)) < 0)) _exit(126);
    _exit(127);
}

qiao_err qi_peer_start(qi_peer *p, char *const argv[], char *const env[], int memory_mb,
                       qiao_diag *d) {
    int s[2] = {-1, -1}, o[2] = {-1, -1};
    p->pid = 0, p->sock = p->out = -1, p->rx_have = 0, p->printed = 0, p->seq = 0;
    pid_t self = getpid(), pid = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0 && pipe2(o, O_CLOEXEC) == 0 &&
        fcntl(o[0], F_SETFL, O_NONBLOCK) == 0)
        pid = fork();
    if (pid == 0) become(s[1], o[1], argv, env, memory_mb, self);
    int why = errno;
    if (s[1] >= 0) close(s[1]);
    if (o[1] >= 0) close(o[1]);
    if (pid < 0) {
        if (s[0] >= 0) close(s[0]);
        if (o[0] >= 0) close(o[0]);
        return qiao_diag_set(d, QIAO_E_IO, argv[0], 0, 0, "cannot be started: %s", strerror(why));
    }
    setpgid(pid, pid); // both sides do it: whoever comes first
    p->pid = pid, p->sock = s[0], p->out = o[0];
    return qi_peer_buffers(p, QI_WIRE_TEXT, QI_WIRE_TEXT, d);
}

qiao_err qi_peer_buffers(qi_peer *p, size_t tx_bytes, size_t rx_bytes, qiao_diag *d) {
    free(p->tx), free(p->rx);
    // more room than an answer: what comes after it shows at once
    if (rx_bytes < QI_WIRE_TEXT) rx_bytes = QI_WIRE_TEXT;
    p->tx_cap = (QI_WIRE_HEAD + tx_bytes + 63) & ~(size_t)63;
    p->rx_cap = (2 * QI_WIRE_HEAD + rx_bytes + 63) & ~(size_t)63;
    p->tx = aligned_alloc(64, p->tx_cap), p->rx = aligned_alloc(64, p->rx_cap);
    p->rx_have = 0;
    if (p->tx && p->rx) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "no memory for %zu bytes of frames",
                         p->tx_cap + p->rx_cap);
}

// ---- what it prints ----

// Takes what is in the pipe, at most a few pages at a time, and keeps the last of it.
static void drain(qi_peer *p) {
    for (int i = 0; i < 16 && p->out >= 0; i++) {
        char buf[4096];
        ssize_t n = read(p->out, buf, sizeof buf);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) close(p->out), p->out = -1;
        if (n <= 0) return;
        for (ssize_t k = 0; k < n; k++) p->tail[p->printed++ % QI_PEER_TAIL] = buf[k];
    }
}

size_t qi_peer_tail(const qi_peer *p, char out[QI_PEER_TAIL + 1]) {
    size_t n = p->printed < QI_PEER_TAIL ? p->printed : QI_PEER_TAIL;
    for (size_t i = 0; i < n; i++) out[i] = p->tail[(p->printed - n + i) % QI_PEER_TAIL];
    out[n] = 0;
    return n;
}

// ---- ending ----

// Waits up to ms for the child to end by itself, then kills its group; reaps. Returns whether it
// ended by itself, and its status.
static bool reap(qi_peer *p, int ms, int *status) {
    if (p->pid <= 0) return false;
    siginfo_t si = {0};
    bool ended = false;
    int64_t end = now_ms() + ms;
    for (;;) {
        ended = waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                si.si_pid == p->pid;
        if (ended || now_ms() >= end) break;
        drain(p);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    // the group goes before its leader is reaped: its number cannot be another's yet
    kill(-p->pid, SIGKILL), kill(p->pid, SIGKILL);
    while (waitpid(p->pid, status, 0) < 0 && errno == EINTR) {}
    drain(p);
    p->pid = 0;
    return ended;
}

static void close_all(qi_peer *p) {
    if (p->sock >= 0) close(p->sock);
    if (p->out >= 0) close(p->out);
    free(p->tx), free(p->rx);
    p->sock = p->out = -1, p->tx = p->rx = NULL;
}

void qi_peer_stop(qi_peer *p) {
    int status;
    if (p->pid > 0) {
        uint8_t bye[QI_WIRE_HEAD];
        qi_wire_head(bye, QI_WIRE_BYE, 0, ++p->seq);
        (void)!send(p->sock, bye, sizeof bye, MSG_DONTWAIT | MSG_NOSIGNAL);
        shutdown(p->sock, SHUT_WR);
        reap(p, BYE_MS, &status);
    }
    close_all(p);
}

// Adds the last words of the child to the reason, as many as fit.
static void add_tail(const qi_peer *p, qiao_diag *d) {
    char raw[QI_PEER_TAIL + 1], text[QI_PEER_TAIL + 1];
    size_t n = qi_peer_tail(p, raw), at = strlen(d->text), room = sizeof d->text - at;
    qi_wire_clean(text, sizeof text, raw, n);
    size_t len = strlen(text), most = room > 40 ? room - 40 : 0;
    if (len == 0 || most == 0) return;
    snprintf(d->text + at, room, "; it printed: %s%s", len > most ? "... " : "",
             len > most ? text + len - most : text);
}

// In words, how the child ended, or what else went wrong.
static void say_fault(const qi_ask *ask, qiao_err e, const char *text, bool ended, int status,
                      qiao_diag *d) {
    const char *who = ask->who, *in = qi_wire_name(ask->type);
    if (ended && WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status)), *say = sigdescr_np(WTERMSIG(status));
        qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' crashed in %s: signal %d, SIG%s (%s)", who, in,
                      WTERMSIG(status), name ? name : "?", say ? say : "unknown");
    } else if (ended) {
        qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' ended in %s with exit status %d", who, in,
                      WEXITSTATUS(status));
    } else if (e == QIAO_E_TIMEOUT) {
        qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' gave no answer to %s within %d ms", who, in,
                      ask->ms);
    } else if (!text) {
        qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' closed its connection in %s", who, in);
    } else {
        qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' broke the protocol in %s: it %s", who, in,
                      text);
    }
}

qiao_err qi_peer_fault(qi_peer *p, const qi_ask *ask, qiao_err e, const char *text, qiao_diag *d) {
    qiao_diag own = {0};
    int status = 0;
    // if it hung up, how it ends says more; one that timed out may have ended and left a child
    // behind that holds the socket open
    bool ended = reap(p, text || e == QIAO_E_TIMEOUT ? 0 : HANGUP_MS, &status) && !text;
    if (ended) e = QIAO_E_PEER;
    say_fault(ask, e, text, ended, status, &own);
    add_tail(p, &own);
    close_all(p);
    return qiao_diag_set(d, e, NULL, 0, 0, "%s", own.text);
}

// ---- asking ----

// Waits until the socket is ready for events, taking what the child prints meanwhile.
static bool wait_for(qi_peer *p, short events, int64_t end) {
    for (;;) {
        int64_t left = end - now_ms();
        struct pollfd f[2] = {{p->sock, events, 0}, {p->out, POLLIN, 0}};
        int n = poll(f, p->out >= 0 ? 2 : 1, left > 0 ? (int)left : 0);
        if (n > 0 && p->out >= 0 && f[1].revents) drain(p);
        if (n > 0 && f[0].revents) return true;
        if (left <= 0) return false;
    }
}

static bool again(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

static qiao_err send_all(qi_peer *p, const qi_ask *ask, int64_t end, qiao_diag *d) {
    size_t at = 0, all = QI_WIRE_HEAD + (size_t)ask->bytes;
    while (at < all) {
        ssize_t n = send(p->sock, p->tx + at, all - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            at += (size_t)n;
        else if (!again(n))
            return qi_peer_fault(p, ask, QIAO_E_PEER, NULL, d);
        else if (!wait_for(p, POLLOUT, end))
            return qi_peer_fault(p, ask, QIAO_E_TIMEOUT, NULL, d);
    }
    return QIAO_OK;
}

static qiao_err receive(qi_peer *p, const qi_ask *ask, int64_t end, qi_frame *f, qiao_diag *d) {
    uint32_t limit = ask->limit > QI_WIRE_TEXT ? ask->limit : QI_WIRE_TEXT;
    for (;;) {
        if (!wait_for(p, POLLIN, end)) return qi_peer_fault(p, ask, QIAO_E_TIMEOUT, NULL, d);
        ssize_t n = recv(p->sock, p->rx + p->rx_have, p->rx_cap - p->rx_have, MSG_DONTWAIT);
        if (again(n)) continue;
        if (n <= 0) return qi_peer_fault(p, ask, QIAO_E_PEER, NULL, d);
        p->rx_have += (size_t)n;
        qiao_diag own = {0};
        int64_t got = qi_wire_frame(p->rx, p->rx_have, limit, f, &own);
        if (got < 0) return qi_peer_fault(p, ask, QIAO_E_PEER, own.text, d);
        if (got == 0) continue;
        if ((size_t)got == p->rx_have) return QIAO_OK;
        return qi_peer_fault(p, ask, QIAO_E_PEER, "sent more than one answer", d);
    }
}

// An error frame: code i32 and text.
static qiao_err refused(qi_peer *p, const qi_ask *ask, const qi_frame *f, qiao_diag *d) {
    char text[900] = "it does not say why";
    int32_t code = QIAO_E_PEER;
    if (f->bytes >= 4) memcpy(&code, f->data, 4);
    if (f->bytes > 4) qi_wire_clean(text, sizeof text, f->data + 4, f->bytes - 4);
    if (code >= 0 || code < QIAO_E_ABI) code = QIAO_E_PEER;
    qiao_err e = (qiao_err)code;
    int status;
    reap(p, 0, &status);
    close_all(p);
    if (p->host) return qiao_diag_set(d, e, NULL, 0, 0, "%s", text);
    return qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' gave up in %s: %s", ask->who,
                         qi_wire_name(ask->type), text);
}

qiao_err qi_peer_ask(qi_peer *p, const qi_ask *ask, qi_frame *f, qiao_diag *d) {
    int64_t end = now_ms() + ask->ms;
    // nobody speaks unasked
    ssize_t early = recv(p->sock, p->rx, 1, MSG_DONTWAIT | MSG_PEEK);
    if (early > 0) return qi_peer_fault(p, ask, QIAO_E_PEER, "spoke before it was asked", d);
    if (!again(early)) return qi_peer_fault(p, ask, QIAO_E_PEER, NULL, d);
    p->rx_have = 0;
    qi_wire_head(p->tx, ask->type, ask->bytes, ++p->seq);
    qiao_err e = send_all(p, ask, end, d);
    if (!e) e = receive(p, ask, end, f, d);
    if (e) return e;
    char text[160];
    if (f->seq != p->seq) {
        snprintf(text, sizeof text, "answered question %u when question %u was asked", f->seq,
                 p->seq);
        return qi_peer_fault(p, ask, QIAO_E_PEER, text, d);
    }
    if (f->type == QI_WIRE_ERROR) return refused(p, ask, f, d);
    if (f->type == ask->want) return QIAO_OK;
    snprintf(text, sizeof text, "answered with %s, %s was expected", qi_wire_name(f->type),
             qi_wire_name(ask->want));
    return qi_peer_fault(p, ask, QIAO_E_PEER, text, d);
}
