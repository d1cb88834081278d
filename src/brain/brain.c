// SPDX-License-Identifier: Apache-2.0
// brain.c - one brain: a plug-in in this process or a peer in another, behind the same calls.
#define _GNU_SOURCE 1
#include "qiao/brain.h"
#include "brain/body.h"
#include "brain/guard.h"
#include "brain/peer.h"
#include "brain/plugin.h"
#include "brain/policy.h"
#include "brain/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_MS = 200, START_MS = 20000, MEMORY_MB = 4096, MOST_WORLDS = 1 << 16 };

struct qiao_brain {
    qiao_brain_def def;
    qi_spec spec;
    char name[QI_WIRE_NAME];
    double rate_hz;
    uint8_t digest[QIAO_HASH_BYTES];
    bool remote;
    int n; // worlds bound
    const qiao_io *io;
    qi_guard_def guard_def; // what the guards allow
    qi_guards *guards;      // of the n worlds
    qiao_diag dead;         // err set: it failed, and why
    // in this process
    void *handle, *mem;
    const qiao_brain_api *api;
    qi_policy *policy; // a trained one, instead of api
    qiao_brain_training training;
    // in another
    qi_peer peer;
    qi_hello hello;
    char output[QI_PEER_TAIL + 1];
};

qiao_brain_def qiao_brain_def_default(void) {
    return (qiao_brain_def){.deadline_ms = STEP_MS, .n = 1};
}

// ---- open ----

// Hash of the file and of the arguments: with others it is another brain.
static qiao_err digest_file(qiao_brain *b, qiao_diag *d) {
    FILE *f = fopen(b->spec.path, "rb");
    char *buf = f ? malloc(65536) : NULL;
    if (!buf) {
        if (f) fclose(f);
        return qiao_diag_set(d, QIAO_E_IO, b->spec.path, 0, 0, "cannot be read");
    }
    qiao_hash h;
    qiao_hash_init(&h);
    for (size_t n; (n = fread(buf, 1, 65536, f)) > 0;) qiao_hash_add(&h, buf, n);
    for (int i = 0; i < b->spec.narg; i++)
        qiao_hash_add(&h, b->spec.arg[i], strlen(b->spec.arg[i]) + 1);
    qiao_hash_end(&h, b->digest);
    free(buf), fclose(f);
    return QIAO_OK;
}

// The program that can host a plug-in: $QIAO_HOST, else this program if it is qiao, else the one
// beside it or above it (tests and benchmarks).
static void host_program(char path[PATH_MAX]) {
    const char *env = getenv("QIAO_HOST");
    char dir[PATH_MAX];
    qi_program_dir(dir);
    if (env && *env) {
        snprintf(path, PATH_MAX, "%s", env);
        return;
    }
    for (int up = 0; up < 2; up++) {
        snprintf(path, PATH_MAX, "%.4000s%sqiao", dir, up ? "../" : "");
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) return;
    }
    snprintf(path, PATH_MAX, "%.4000sqiao", dir);
}

// Environment of the child: ours, the socket, and where Python finds qiao_brain.
// *mem holds the texts; free both.
static char **make_env(char **mem) {
    size_t n = 0, k = 0;
    while (environ[n]) n++;
    const char *py = getenv("PYTHONPATH");
    char **env = calloc(n + 4, sizeof *env);
    size_t cap = PATH_MAX + 256 + (py ? strlen(py) : 0);
    *mem = malloc(cap);
    if (!env || !*mem) {
        free(env), free(*mem);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "PYTHONPATH=", 11) && strncmp(environ[i], "QIAO_BRAIN_FD=", 14) &&
            strncmp(environ[i], "PYTHONUNBUFFERED=", 17))
            env[k++] = environ[i];
    env[k++] = *mem;
    int at = snprintf(*mem, cap, "QIAO_BRAIN_FD=%d", QI_PEER_FD) + 1;
    env[k++] = *mem + at;
    at += snprintf(*mem + at, cap - (size_t)at, "PYTHONUNBUFFERED=1") + 1;
    env[k++] = *mem + at;
    snprintf(*mem + at, cap - (size_t)at, "PYTHONPATH=%.4000s/bindings/python%s%s", qiao_home(),
             py ? ":" : "", py ? py : "");
    return env;
}

static const char *short_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static qi_ask ask_of(const qiao_brain *b, uint32_t type, uint32_t bytes, uint32_t want) {
    int ms = b->def.start_ms > 0 ? b->def.start_ms : START_MS;
    return (qi_ask){type, bytes, want, 0, ms, b->name};
}

static int memory_mb(const qiao_brain_def *def) {
    const char *env = getenv("QIAO_BRAIN_MEMORY_MB");
    int mb = def->memory_mb ? def->memory_mb : env ? atoi(env) : MEMORY_MB;
    return mb > 0 ? mb : 0;
}

// Starts the child and shakes hands.
static qiao_err start_peer(qiao_brain *b, qiao_diag *d) {
    static char sub[] = "brain-host", python[] = "python3";
    char host[PATH_MAX], *argv[QI_SPEC_ARGS + 4], *mem;
    int n = 0;
    b->peer.host = b->spec.kind == QI_BRAIN_PLUGIN;
    if (b->spec.kind == QI_BRAIN_PLUGIN) {
        host_program(host);
        if (access(host, X_OK) != 0)
            return qiao_diag_set(d, QIAO_E_IO, host, 0, 0,
                                 "cannot be run, and is needed to host '%.300s'; $QIAO_HOST may "
                                 "name the program qiao",
                                 b->spec.path);
        argv[n++] = host, argv[n++] = sub;
    } else if (b->spec.kind == QI_BRAIN_PYTHON) {
        argv[n++] = python;
    }
    argv[n++] = b->spec.path;
    for (int i = 0; i < b->spec.narg; i++) argv[n++] = b->spec.arg[i];
    argv[n] = NULL;
    char **env = make_env(&mem);
    if (!env) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_err e = qi_peer_start(&b->peer, argv, env, memory_mb(&b->def), d);
    free(env), free(mem);
    if (e) return e;
    // hello
    uint32_t abi = QIAO_BRAIN_ABI;
    qi_ask ask = ask_of(b, QI_WIRE_HELLO, 4, QI_WIRE_HELLO);
    qi_frame f;
    qiao_diag own = {0};
    memcpy(b->peer.tx + QI_WIRE_HEAD, &abi, 4);
    if ((e = qi_peer_ask(&b->peer, &ask, &f, d))) return e;
    e = qi_wire_get_hello(&f, &b->hello, &own);
    if (!e) e = qi_plugin_rate(NULL, b->hello.rate_hz, &own);
    return e ? qi_peer_fault(&b->peer, &ask, e, own.text, d) : QIAO_OK;
}

// "--type int8" after a policy's name.
static qiao_err policy_args(const qi_spec *s, int *type, qiao_diag *d) {
    static const char *const known[] = {"float32", "bfloat16", "int8"};
    *type = -1;
    if (s->narg == 0) return QIAO_OK;
    if (strcmp(s->arg[0], "--type") != 0 || s->narg > 2)
        return qiao_diag_set(d, QIAO_E_ARG, s->path, 0, 0,
                             "a policy takes no '%.60s'; '--type float32', 'bfloat16' or 'int8' "
                             "was expected",
                             s->arg[s->narg > 2 ? 2 : 0]);
    for (int k = 0; s->narg == 2 && k < 3; k++)
        if (strcmp(s->arg[1], known[k]) == 0) *type = k;
    if (*type >= 0) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_ARG, s->path, 0, 0,
                         "--type: expected float32, bfloat16 or int8, not '%.60s'",
                         s->narg == 2 ? s->arg[1] : "");
}

// What results call it: the manifest's name, else that of its folder.
static void policy_name(qiao_brain *b) {
    const char *name = b->policy->m->name;
    char path[PATH_MAX];
    if (!name) {
        snprintf(path, sizeof path, "%s", b->spec.path);
        char *slash = strrchr(path, '/');
        if (slash && strcmp(slash, "/brain.yaml") == 0) *slash = 0;
        name = short_name(path);
    }
    snprintf(b->name, sizeof b->name, "%.60s", name);
    for (char *c = b->name; *c; c++)
        if (*c == '/' || (unsigned char)*c < 0x21) *c = '_';
}

static qiao_err open_policy(qiao_brain *b, qiao_diag *d) {
    int type;
    qiao_err e = policy_args(&b->spec, &type, d);
    if (e) return e;
    qi_manifest *m = qi_manifest_load(b->spec.path, b->def.robot, d);
    if (!m || !(b->policy = qi_policy_open(m, type, d))) return d->err;
    m->y.d = d; // the file is still open for its guards
    if (m->guards && !qi_guard_read(&m->y, m->guards, &b->guard_def)) return d->err;
    policy_name(b);
    b->rate_hz = qi_policy_rate(b->policy);
    memcpy(b->digest, b->policy->digest, sizeof b->digest);
    b->training = (qiao_brain_training){.step = m->physics.step,
                                        .delay = m->physics.delay,
                                        .njoint = m->njoint,
                                        .joint = m->joint,
                                        .armature = m->physics.armature,
                                        .damping = m->physics.damping,
                                        .friction = m->physics.friction};
    return qi_plugin_rate(b->spec.path, b->rate_hz, d);
}

const qiao_brain_training *qiao_brain_body(const qiao_brain *b) {
    return b->policy ? &b->training : NULL;
}

static qiao_err open_brain(qiao_brain *b, const qiao_brain_def *def, qiao_diag *d) {
    b->def = *def, b->peer.sock = b->peer.out = -1, b->guard_def = qi_guard_default();
    if (def->n < 1 || def->n > MOST_WORLDS)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "%d worlds; 1 to %d can be", def->n,
                             MOST_WORLDS);
    qiao_err e = qi_spec_find(def->spec, &b->spec, d);
    if (e) return e;
    b->def.spec = NULL; // the caller's
    snprintf(b->name, sizeof b->name, "%.60s", short_name(b->spec.path));
    bool plugin = b->spec.kind == QI_BRAIN_PLUGIN;
    if (b->spec.kind == QI_BRAIN_POLICY) return open_policy(b, d); // data, not code: run here
    b->remote = !plugin || def->isolate || !(b->spec.ours || def->trust);
    if (plugin && (e = qi_plugin_is_elf(b->spec.path, d))) return e;
    if ((e = digest_file(b, d))) return e;
    if (b->remote) {
        if ((e = start_peer(b, d))) return e;
        snprintf(b->name, sizeof b->name, "%s", b->hello.name), b->rate_hz = b->hello.rate_hz;
        return QIAO_OK;
    }
    b->api = qi_plugin_open(b->spec.path, &b->handle, d);
    if (!b->api) return d->err;
    snprintf(b->name, sizeof b->name, "%s", b->api->name), b->rate_hz = b->api->rate_hz;
    return QIAO_OK;
}

qiao_brain *qiao_brain_open(const qiao_brain_def *def, qiao_diag *d) {
    qiao_diag own = {0};
    qiao_brain *b = calloc(1, sizeof *b);
    if (!b) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    qiao_err e = open_brain(b, def, &own);
    if (!e) return b;
    qiao_diag_set(d, e, NULL, 0, 0, "%s", own.text);
    qiao_brain_close(b);
    return NULL;
}

void qiao_brain_close(qiao_brain *b) {
    if (!b) return;
    qi_peer_stop(&b->peer);
    free(b->mem), qi_guards_free(b->guards);
    qi_plugin_close(b->handle);
    qi_policy_close(b->policy);
    free(b);
}

const char *qiao_brain_name(const qiao_brain *b) { return b->name; }
double qiao_brain_rate(const qiao_brain *b) { return b->rate_hz; }
const char *const *qiao_brain_needs(const qiao_brain *b) {
    return b->remote ? b->hello.need : b->policy ? b->policy->need : b->api->need;
}
void qiao_brain_digest(const qiao_brain *b, uint8_t hash[QIAO_HASH_BYTES]) {
    memcpy(hash, b->digest, QIAO_HASH_BYTES);
}
const char *qiao_brain_output(qiao_brain *b) {
    qi_peer_tail(&b->peer, b->output);
    return b->output;
}

// ---- bind and reset ----

static qiao_err die(qiao_brain *b, qiao_err e, qiao_diag *why, qiao_diag *d) {
    b->dead = (qiao_diag){0};
    qiao_diag_set(&b->dead, e, NULL, 0, 0, "%s", why->text[0] ? why->text : qiao_err_text(e));
    return qiao_diag_set(d, e, NULL, 0, 0, "%s", b->dead.text);
}

static qiao_err bind_peer(qiao_brain *b, qiao_diag *d) {
    if (b->peer.pid == 0) { // a new one
        qi_peer_stop(&b->peer);
        qiao_err e = start_peer(b, d);
        if (e) return e;
    }
    qiao_err e = qi_plugin_need(b->name, b->hello.need, b->io, d);
    if (e) return e;
    char *text = qi_body_write(b->io, b->n);
    if (!text) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    size_t bytes = strlen(text);
    uint32_t step = qi_wire_step_bytes(b->n, b->io->nobs, b->io->nsig);
    uint32_t command = qi_wire_command_bytes(b->n, b->io->nu);
    if (step == 0 || (command == 0 && b->io->nu > 0) || bytes > QI_WIRE_BIND_MOST)
        e = qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                          "%d worlds are too many for one brain in another process", b->n);
    if (!e) e = qi_peer_buffers(&b->peer, step > bytes ? step : bytes, command, d);
    if (!e) {
        qi_ask ask = ask_of(b, QI_WIRE_BIND, (uint32_t)bytes, QI_WIRE_READY);
        qi_frame f;
        memcpy(b->peer.tx + QI_WIRE_HEAD, text, bytes);
        e = qi_peer_ask(&b->peer, &ask, &f, d);
    }
    free(text);
    return e;
}

static qiao_err make_guards(qiao_brain *b, qiao_diag *d) {
    qi_guards_free(b->guards);
    b->guards = qi_guards_new(&b->guard_def, b->io, qiao_brain_needs(b), b->n, d);
    return b->guards ? QIAO_OK : d->err;
}

static qiao_err bind_policy(qiao_brain *b, qiao_diag *d) {
    qiao_diag own = {0};
    size_t bytes = qi_policy_size(b->policy, b->io, b->n, &own);
    b->mem =
        bytes && bytes <= (size_t)4 << 30 ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    if (!bytes) return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "%s", own.text);
    if (!b->mem)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "no memory for brain '%s': %zu bytes",
                             b->name, bytes);
    memset(b->mem, 0, bytes);
    qiao_err e = qi_policy_init(b->policy, b->mem, b->io, b->n, &own);
    return e ? qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' does not fit this body: %s", b->name,
                             own.text)
             : QIAO_OK;
}

qiao_err qiao_brain_bind(qiao_brain *b, const qiao_io *io, qiao_diag *d) {
    qiao_diag why = {0};
    b->io = io, b->dead = (qiao_diag){0};
    b->n = io->nworld >= 1 && io->nworld <= b->def.n ? io->nworld : b->def.n;
    qiao_err e = io->robot ? make_guards(b, &why)
                           : qiao_diag_set(&why, QIAO_E_ARG, NULL, 0, 0, "io without a robot");
    if (!e && b->remote) e = bind_peer(b, &why);
    if (!e && !b->remote) {
        free(b->mem), b->mem = NULL;
        e = qi_plugin_need(b->name, b->policy ? b->policy->need : b->api->need, io, &why);
        if (!e && b->policy) e = bind_policy(b, &why);
        if (!e && b->api) e = qi_plugin_init(b->api, io, b->n, &b->mem, &why);
    }
    return e ? die(b, e, &why, d) : QIAO_OK;
}

qiao_err qiao_brain_reset(qiao_brain *b, int world, uint64_t seed, qiao_diag *d) {
    qiao_diag why = {0};
    if (b->dead.err) return qiao_diag_set(d, b->dead.err, NULL, 0, 0, "%s", b->dead.text);
    if (!b->io || world < 0 || world >= b->n)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "reset of world %d of %d", world, b->n);
    qi_guards_reset(b->guards, world);
    if (!b->remote) {
        if (b->policy)
            qi_policy_reset(b->mem, world);
        else
            b->api->reset(b->mem, world, seed);
        return QIAO_OK;
    }
    qi_ask ask = ask_of(b, QI_WIRE_RESET, 16, QI_WIRE_READY);
    qi_frame f;
    uint32_t w[2] = {(uint32_t)world, 0};
    memcpy(b->peer.tx + QI_WIRE_HEAD, w, 8), memcpy(b->peer.tx + QI_WIRE_HEAD + 8, &seed, 8);
    qiao_err e = qi_peer_ask(&b->peer, &ask, &f, &why);
    return e ? die(b, e, &why, d) : QIAO_OK;
}

// ---- step ----

// The brain is gone: every world that runs is damped, and says so once.
static qiao_err all_damped(const qiao_brain *b, const qiao_obs *o, qiao_cmd *c, qiao_diag *d) {
    for (int w = 0; b->guards && w < c->n && w < b->n && c->nu == b->io->nu; w++) {
        if (b->dead.err == QIAO_E_TIMEOUT && qi_guards_rung(b->guards, w) != QIAO_RUNG_STOP)
            qi_guards_gone(b->guards, QIAO_GUARD_DEADLINE, o->n > w ? o->t_ns[w] : 0, w);
        qi_guards_damp(b->guards, c, w);
    }
    return qiao_diag_set(d, b->dead.err, NULL, 0, 0, "%s", b->dead.text);
}

const char *qiao_brain_fault(const qiao_brain *b, int w) {
    if (b->dead.err) return b->dead.text;
    return b->guards ? qi_guards_fault(b->guards, w) : NULL;
}
int qiao_brain_guard_events(qiao_brain *b, int w, qiao_guard_event *ev, int cap) {
    return b->guards ? qi_guards_events(b->guards, w, ev, cap) : 0;
}
qiao_rung qiao_brain_guard_rung(const qiao_brain *b, int w) {
    return b->guards ? qi_guards_rung(b->guards, w) : QIAO_RUNG_NONE;
}
void qiao_brain_late(qiao_brain *b, int w) {
    if (b->guards) qi_guards_late(b->guards, w);
}
void qiao_brain_did(qiao_brain *b, int w, const double *x, const qiao_cmd *cmd, int row) {
    if (b->policy && b->mem && !b->dead.err) qi_policy_did(b->mem, w, x, cmd, row);
}

static qiao_err step_peer(qiao_brain *b, const qiao_obs *obs, qiao_cmd *cmd, qiao_diag *d) {
    qi_ask ask = {.type = QI_WIRE_STEP,
                  .bytes = qi_wire_step_bytes(obs->n, obs->nobs, obs->nsig),
                  .want = QI_WIRE_COMMAND,
                  .limit = qi_wire_command_bytes(cmd->n, cmd->nu),
                  .ms = b->def.deadline_ms > 0 ? b->def.deadline_ms : STEP_MS,
                  .who = b->name};
    qi_frame f;
    qi_wire_put_step(b->peer.tx + QI_WIRE_HEAD, obs, cmd->nu);
    qiao_err e = qi_peer_ask(&b->peer, &ask, &f, d);
    if (e) return e;
    qiao_diag own = {0};
    e = qi_wire_get_command(&f, obs->live, cmd, &own);
    return e ? qi_peer_fault(&b->peer, &ask, e, own.text, d) : QIAO_OK;
}

qiao_err qiao_brain_step(qiao_brain *b, const qiao_obs *obs, qiao_cmd *cmd, qiao_diag *d) {
    if (b->dead.err) return all_damped(b, obs, cmd, d);
    if (!b->io || obs->n > b->n || cmd->n != obs->n || cmd->nu != b->io->nu ||
        obs->nobs != b->io->nobs || obs->nsig != b->io->nsig)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "step of another shape than bind");
    qiao_diag why = {0};
    qiao_err e;
    qiao_obs seen = *obs;
    seen.live = qi_guards_see(b->guards, obs);
    if (b->remote) {
        e = step_peer(b, &seen, cmd, &why);
    } else {
        e = b->policy ? qi_policy_step(b->mem, &seen, cmd) : b->api->step(b->mem, &seen, cmd);
        if (e)
            qiao_diag_set(&why, e, NULL, 0, 0, "brain '%s' gave up in step: %s (%s)", b->name,
                          qiao_err_text(e), qiao_err_name(e));
    }
    if (!e) {
        int w = 0;
        e = qi_guards_act(b->guards, obs, cmd, b->name, &w);
        if (!e) return QIAO_OK;
        return qiao_diag_set(d, e, NULL, 0, 0, "%s (world %d)", qi_guards_fault(b->guards, w), w);
    }
    die(b, e, &why, NULL);
    return all_damped(b, obs, cmd, d);
}
