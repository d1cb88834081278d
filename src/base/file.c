// SPDX-License-Identifier: Apache-2.0
// file.c - whole files in and out, with limits.
#include "qiao/base.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

qiao_err qiao_file_read(const char *path, size_t limit, char **data, size_t *bytes, qiao_diag *d) {
    *data = NULL, *bytes = 0;
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0) {
        qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be opened: %s", strerror(errno));
        if (f) fclose(f);
        return QIAO_E_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        fclose(f);
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "is not a file");
    }
    if ((size_t)st.st_size > limit) {
        fclose(f);
        return qiao_diag_set(d, QIAO_E_LIMIT, path, 0, 0, "has %lld bytes, at most %zu are read",
                             (long long)st.st_size, limit);
    }
    char *p = malloc((size_t)st.st_size + 1);
    size_t n = p ? fread(p, 1, (size_t)st.st_size, f) : 0;
    bool bad = !p || ferror(f);
    fclose(f);
    if (bad) {
        free(p);
        return qiao_diag_set(d, p ? QIAO_E_IO : QIAO_E_MEM, path, 0, 0, "cannot be read");
    }
    p[n] = 0;
    *data = p, *bytes = n;
    return QIAO_OK;
}

qiao_err qiao_file_write(const char *path, const void *data, size_t bytes, qiao_diag *d) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part%d", path, (int)getpid()) >= (int)sizeof part)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
    FILE *f = fopen(part, "wb");
    if (!f)
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
    bool ok = fwrite(data, 1, bytes, f) == bytes;
    ok = fclose(f) == 0 && ok;
    if (ok && rename(part, path) == 0) return QIAO_OK;
    qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
    unlink(part);
    return QIAO_E_IO;
}

qiao_err qiao_dir_make(const char *path, qiao_diag *d) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0) return QIAO_OK;
    if (n >= sizeof part)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i), part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return qiao_diag_set(d, QIAO_E_IO, part, 0, 0, "cannot be made: %s", strerror(errno));
    }
    return QIAO_OK;
}
