// SPDX-License-Identifier: Apache-2.0
// parts.c - what a sweep is made of: names for people, hashes that decide.
#define _GNU_SOURCE // dl_iterate_phdr
#include "prove/head.h"

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QI_TEXT2(x) #x
#define QI_TEXT(x)  QI_TEXT2(x)
#if defined(__clang__)
#define COMPILER "clang " QI_TEXT(__clang_major__) "." QI_TEXT(__clang_minor__)
#else
#define COMPILER "gcc " QI_TEXT(__GNUC__) "." QI_TEXT(__GNUC_MINOR__)
#endif
#if defined(__x86_64__)
#define MACHINE "x86-64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "other"
#endif

// The two files that decide the bits: the one this code is in, and MuJoCo's library.
typedef struct files {
    char own[4096], mujoco[4096];
    uint8_t own_hash[QIAO_HASH_BYTES], mujoco_hash[QIAO_HASH_BYTES];
    qiao_diag d;
} files;
static files found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int look(struct dl_phdr_info *i, size_t bytes, void *ctx) {
    (void)bytes;
    files *f = ctx;
    const char *name = i->dlpi_name && *i->dlpi_name ? i->dlpi_name : "/proc/self/exe";
    if (strstr(name, "libmujoco.so")) snprintf(f->mujoco, sizeof f->mujoco, "%s", name);
    uintptr_t here = (uintptr_t)&found;
    for (int k = 0; k < i->dlpi_phnum; k++) {
        const ElfW(Phdr) *p = &i->dlpi_phdr[k];
        if (p->p_type == PT_LOAD && here - i->dlpi_addr - p->p_vaddr < p->p_memsz)
            snprintf(f->own, sizeof f->own, "%s", name);
    }
    return 0;
}

static void hash_file(const char *path, uint8_t out[QIAO_HASH_BYTES], qiao_diag *d) {
    enum { PIECE = 1 << 16 };
    FILE *f = fopen(path, "rb");
    char *buf = malloc(PIECE);
    qiao_hash h;
    qiao_hash_init(&h);
    if (!f || !buf) qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be read to be hashed");
    for (size_t n; f && buf && (n = fread(buf, 1, PIECE, f)) > 0;) qiao_hash_add(&h, buf, n);
    if (f) fclose(f);
    free(buf);
    qiao_hash_end(&h, out);
}

static void find_files(void) {
    dl_iterate_phdr(look, &found);
    hash_file(found.own, found.own_hash, &found.d);
    if (found.mujoco[0]) hash_file(found.mujoco, found.mujoco_hash, &found.d);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

qiao_err qiao_parts_get(const qiao_sweep_def *def, qiao_parts *p, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    memset(p, 0, sizeof *p);
    pthread_once(&once, find_files);
    if (found.d.err) return qiao_diag_set(d, found.d.err, NULL, 0, 0, "%s", found.d.text);
    qiao_brain_def bd = def->brain;
    bd.n = 1;
    if (!bd.robot) bd.robot = def->robot;
    qiao_brain *b = qiao_brain_open(&bd, d);
    if (!b) return d->err;
    snprintf(p->brain, sizeof p->brain, "%s", base_name(qiao_brain_name(b)));
    qiao_brain_digest(b, p->brain_hash);
    qiao_brain_close(b);
    snprintf(p->scenario, sizeof p->scenario, "%s", qiao_scenario_name(def->scenario));
    qiao_scenario_digest(def->scenario, p->scenario_hash);
    snprintf(p->robot, sizeof p->robot, "%s", def->robot->name);
    memcpy(p->robot_hash, def->robot->hash, QIAO_HASH_BYTES);
    // the engine: its name and the library that compiles its models
    snprintf(p->engine, sizeof p->engine, "%s", def->engine);
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, def->engine, strlen(def->engine) + 1);
    qiao_hash_add(&h, found.mujoco_hash, QIAO_HASH_BYTES);
    qiao_hash_end(&h, p->engine_hash);
    const char *version = found.mujoco[0] ? strstr(base_name(found.mujoco), ".so") : "";
    snprintf(p->build, sizeof p->build, "Qiao, %s, %s, MuJoCo %.20s", COMPILER, MACHINE,
             version && strlen(version) > 4 ? version + 4 : "?");
    memcpy(p->build_hash, found.own_hash, QIAO_HASH_BYTES);
    p->seed = def->seed, p->sampling = def->sampling;
    return QIAO_OK;
}
