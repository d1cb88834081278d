// SPDX-License-Identifier: Apache-2.0
// plugin.c - loads a shared object and checks all that it says of itself.
#include "brain/plugin.h"
#include "brain/wire.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_NONE }; // not checked
#endif
enum { MOST_NEED_TEXT = 400 };
static const size_t most_memory = (size_t)4 << 30;

// A segment that reaches past the end of a cut file would be a bus error on first touch.
static bool segments_fit(FILE *f, const Elf64_Ehdr *h, uint64_t size) {
    for (int i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        uint64_t at = h->e_phoff + (uint64_t)i * sizeof p;
        if (h->e_phoff > size || fseek(f, (long)at, SEEK_SET) != 0 ||
            fread(&p, sizeof p, 1, f) != 1)
            return false;
        if (p.p_type == PT_LOAD && (p.p_offset > size || p.p_filesz > size - p.p_offset))
            return false;
    }
    return h->e_phnum > 0;
}

qiao_err qi_plugin_is_elf(const char *path, qiao_diag *d) {
    struct stat st;
    Elf64_Ehdr h = {0};
    if (stat(path, &st) != 0)
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "there is no such plug-in");
    if (!S_ISREG(st.st_mode)) return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "is not a file");
    FILE *f = fopen(path, "rb");
    if (!f) return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be opened");
    const char *fault = NULL;
    if (fread(&h, sizeof h, 1, f) != 1 || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
        fault = "is not a plug-in: a shared object (ELF) was expected";
    else if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
             (MACHINE != EM_NONE && h.e_machine != MACHINE))
        fault = "is a shared object for another kind of machine";
    else if (h.e_type != ET_DYN || h.e_phentsize != sizeof(Elf64_Phdr))
        fault = "is an ELF file, but not a shared object; link it with -shared";
    else if (!segments_fit(f, &h, (uint64_t)st.st_size))
        fault = "is cut short: parts of the shared object are missing";
    fclose(f);
    return fault ? qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "%s", fault) : QIAO_OK;
}

qiao_err qi_plugin_rate(const char *file, double rate_hz, qiao_diag *d) {
    if (rate_hz >= 1 && rate_hz <= 2000) return QIAO_OK; // false for NaN
    return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "wants %g steps a second; 1 to 2000 can be",
                         rate_hz);
}

static bool is_name(const char *s) {
    size_t n = 0;
    for (; s && s[n]; n++)
        if (n >= QI_WIRE_NAME - 1 || (unsigned char)s[n] < 0x20 || s[n] == 0x7f) return false;
    return n > 0;
}

static qiao_err check_api(const char *path, const qiao_brain_api *api, qiao_diag *d) {
    if (!api) return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "qiao_brain_entry returns NULL");
    if (api->abi != QIAO_BRAIN_ABI)
        return qiao_diag_set(d, QIAO_E_ABI, path, 0, 0,
                             "is built for version %u of the brain interface, this program has %d; "
                             "build it again with this program's qiao/brain.h",
                             api->abi, QIAO_BRAIN_ABI);
    if (api->bytes != sizeof *api)
        return qiao_diag_set(d, QIAO_E_ABI, path, 0, 0,
                             "its qiao_brain_api has %u bytes, %zu were expected; build it again "
                             "with this program's qiao/brain.h",
                             api->bytes, sizeof *api);
    const char *none = !api->size    ? "size"
                       : !api->init  ? "init"
                       : !api->reset ? "reset"
                       : !api->step  ? "step"
                                     : NULL;
    if (none) return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "its function '%s' is NULL", none);
    if (!is_name(api->name) || !is_name(api->version))
        return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0,
                             "its %s is not a text of 1 to %d printable bytes",
                             is_name(api->name) ? "version" : "name", QI_WIRE_NAME - 1);
    int n = 0;
    for (; api->need && n <= QI_WIRE_NEED && api->need[n]; n++)
        if (!is_name(api->need[n]))
            return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "need[%d] is not a signal name", n);
    if (n > QI_WIRE_NEED)
        return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0,
                             "it reads more than %d signals, or need does not end with NULL",
                             QI_WIRE_NEED);
    return qi_plugin_rate(path, api->rate_hz, d);
}

const qiao_brain_api *qi_plugin_open(const char *path, void **handle, qiao_diag *d) {
    *handle = NULL;
    char real[PATH_MAX];
    if (qi_plugin_is_elf(path, d)) return NULL;
    // a name without a slash would be looked for in the system's folders
    void *h = realpath(path, real) ? dlopen(real, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!h) {
        const char *why = dlerror();
        qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "cannot be loaded: %.400s",
                      why ? why : "it went away");
        return NULL;
    }
    union {
        void *p;
        qiao_brain_entry_fn f;
    } entry = {dlsym(h, "qiao_brain_entry")};
    const qiao_brain_api *api = NULL;
    qiao_err e;
    if (!entry.p)
        e = qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0,
                          "is a shared object, but no brain: it does not export qiao_brain_entry");
    else
        e = check_api(path, api = entry.f(), d);
    if (!e) {
        *handle = h;
        return api;
    }
    dlclose(h);
    return NULL;
}

void qi_plugin_close(void *handle) {
    if (handle) dlclose(handle);
}

qiao_err qi_plugin_need(const char *who, const char *const *need, const qiao_io *io, qiao_diag *d) {
    for (int i = 0; need && need[i]; i++) {
        bool found = false;
        for (int k = 0; k < io->nsig; k++) found |= strcmp(io->sig[k].name, need[i]) == 0;
        if (found) continue;
        // say the nearest, and all that there is
        const char *names[256], *near;
        char all[MOST_NEED_TEXT] = "";
        int n = io->nsig < 256 ? io->nsig : 256;
        size_t at = 0;
        for (int k = 0; k < n; k++) {
            names[k] = io->sig[k].name;
            if (at < sizeof all - 1)
                at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", k ? ", " : "", names[k]);
        }
        near = qiao_nearest(need[i], names, n);
        return qiao_diag_set(
            d, QIAO_E_NAME, NULL, 0, 0,
            "brain '%s' reads the signal '%s', which '%s' does not give here%s%s%s; "
            "it gives: %s",
            who, need[i], io->robot && io->robot->name ? io->robot->name : "robot",
            near ? "; near: '" : "", near ? near : "", near ? "'" : "", all);
    }
    return QIAO_OK;
}

qiao_err qi_plugin_init(const qiao_brain_api *api, const qiao_io *io, int n, void **mem,
                        qiao_diag *d) {
    *mem = NULL;
    qiao_diag own = {0};
    size_t bytes = api->size(io, n, &own);
    if (bytes == 0)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "brain '%s' does not fit this body: %s",
                             api->name, own.text[0] ? own.text : "it does not say why");
    if (bytes > most_memory)
        return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                             "brain '%s' asks for %zu bytes for %d worlds, at most %zu are given",
                             api->name, bytes, n, most_memory);
    bytes = (bytes + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, bytes);
    if (!p)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "no memory for brain '%s': %zu bytes",
                             api->name, bytes);
    memset(p, 0, bytes);
    own = (qiao_diag){0};
    qiao_err e = api->init(p, io, n, &own);
    if (e) {
        free(p);
        return qiao_diag_set(d, e, NULL, 0, 0, "brain '%s' cannot start: %s", api->name,
                             own.text[0] ? own.text : qiao_err_text(e));
    }
    *mem = p;
    return QIAO_OK;
}
