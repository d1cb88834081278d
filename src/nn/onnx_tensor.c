// SPDX-License-Identifier: Apache-2.0
// onnx_tensor.c - TensorProto: raw, typed and external numbers, all as floats.
#include "nn/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// DataType: name, bytes of one number in raw data, kind
static const struct {
    const char *name;
    int bytes;
    int kind; // -1: not supported
} TYPE[] = {{"nothing", 0, -1},     {"float32", 4, QI_REAL}, {"uint8", 1, QI_INT},
            {"int8", 1, QI_INT},    {"uint16", 2, QI_INT},   {"int16", 2, QI_INT},
            {"int32", 4, QI_INT},   {"int64", 8, QI_INT},    {"string", 0, -1},
            {"bool", 1, QI_BOOL},   {"float16", 2, QI_REAL}, {"float64", 8, QI_REAL},
            {"uint32", 4, QI_INT},  {"uint64", 8, QI_INT},   {"complex64", 8, -1},
            {"complex128", 16, -1}, {"bfloat16", 2, QI_REAL}};
enum { NTYPE = sizeof TYPE / sizeof *TYPE };
const char *qi_nn_type_name(int type) {
    return type >= 0 && type < NTYPE ? TYPE[type].name : "a type of less than 8 bits";
}
bool qi_nn_type_kind(int type, qi_kind *kind) {
    if (type < 0 || type >= NTYPE || TYPE[type].kind < 0) return false;
    *kind = (qi_kind)TYPE[type].kind;
    return true;
}

float qi_nn_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023, w;
    float x;
    if (e == 0) {
        x = (float)m * 0x1p-24f;
        memcpy(&w, &x, sizeof w);
        w |= sign;
    } else
        w = sign | (e == 31 ? 0x7f800000 : (e + 112) << 23) | m << 13;
    memcpy(&x, &w, sizeof x);
    return x;
}

typedef struct tensor {
    const char *name, *location;
    int type, rank;
    int64_t dim[QI_RANK];
    qi_wire raw;
    bool has_raw, external;
    uint64_t offset, length;
    bool has_length;
} tensor;

// One number from its bits; false: a whole number that a float does not hold.
static bool number(int type, uint64_t v, float *x) {
    uint32_t word = (uint32_t)v;
    double f64;
    int64_t i = (int64_t)v;
    switch (type) {
    case 1: memcpy(x, &word, sizeof *x); return true;
    case 10: *x = qi_nn_half((uint16_t)v); return true;
    case 16: word <<= 16, memcpy(x, &word, sizeof *x); return true;
    case 11: memcpy(&f64, &v, sizeof f64), *x = (float)f64; return true;
    case 9: *x = v != 0; return true;
    case 2: i = (uint8_t)v; break;
    case 3: i = (int8_t)v; break;
    case 4: i = (uint16_t)v; break;
    case 5: i = (int16_t)v; break;
    case 6: i = (int32_t)v; break;
    case 12: i = (int64_t)word; break;
    case 13: *x = (float)v; return v <= 1 << 24 || v >= INT32_MAX;
    default: break;
    }
    *x = (float)i;
    return i >= INT32_MAX || i <= -INT32_MAX || (int64_t)*x == i;
}

static bool read_external(qi_source *s, qi_wire w, tensor *t) {
    qi_field f;
    int more;
    const char *key = "", *value = "";
    while ((more = qi_wire_next(&w, &f)) > 0)
        if (f.type == QI_WIRE_BYTES && (f.no == 1 || f.no == 2)) {
            const char *text = qi_onnx_text(s, f.sub);
            if (!text) return false;
            *(f.no == 1 ? &key : &value) = text;
        }
    if (more < 0)
        return qi_onnx_bad(s, w.at, QIAO_E_FORMAT, "external data is cut off or not ONNX");
    if (!strcmp(key, "location")) t->location = value;
    bool offset = !strcmp(key, "offset"), length = !strcmp(key, "length");
    if (!offset && !length) return true;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || n > (1ull << 40))
        return qi_onnx_bad(s, w.at, QIAO_E_FORMAT,
                           "external data has %s '%.40s', expected a number of bytes", key, value);
    *(offset ? &t->offset : &t->length) = n;
    t->has_length |= length;
    return true;
}

// The resolved path must lie below the resolved folder: no '..', no link leads out.
static bool inside(qi_source *s, const char *location, char path[PATH_MAX]) {
    char dir[PATH_MAX], joined[PATH_MAX];
    bool up = *location == '/' || !*location || strlen(location) > 512;
    for (const char *p = location; *p && !up; p = strchr(p, '/') ? strchr(p, '/') + 1 : "")
        up = !strncmp(p, "..", 2) && (p[2] == '/' || !p[2]);
    if (up)
        return qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                           "external data '%.80s': expected a file in the model's folder",
                           location);
    if (!s->dir)
        return qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                           "has external data '%.80s' but comes from no folder", location);
    if (!realpath(*s->dir ? s->dir : ".", dir) ||
        snprintf(joined, sizeof joined, "%s/%s", dir, location) >= (int)sizeof joined ||
        !realpath(joined, path))
        return qi_onnx_bad(s, NULL, QIAO_E_IO, "external data '%.80s' cannot be opened: %s",
                           location, strerror(errno));
    size_t n = strcmp(dir, "/") ? strlen(dir) : 0;
    if (strncmp(path, dir, n) || path[n] != '/')
        return qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                           "external data '%.80s' is a link out of the model's folder", location);
    return true;
}
const uint8_t *qi_onnx_external(qi_source *s, const char *location, uint64_t offset, size_t n) {
    char path[PATH_MAX];
    struct stat st;
    if (!inside(s, location, path)) return NULL;
    if ((s->external += n) > QI_NN_FILE_MAX) {
        qi_onnx_bad(s, NULL, QIAO_E_LIMIT, "external data of more than %d bytes", QI_NN_FILE_MAX);
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *p = NULL;
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        qi_onnx_bad(s, NULL, QIAO_E_IO, "external data '%.80s' cannot be opened", location);
    else if (offset > (uint64_t)st.st_size || n > (uint64_t)st.st_size - offset)
        qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                    "external data '%.80s' has %lld bytes, expected %zu from byte %llu", location,
                    (long long)st.st_size, n, (unsigned long long)offset);
    else if (!(p = qiao_arena_get(s->a, n)))
        qi_onnx_bad(s, NULL, QIAO_E_MEM, "out of memory");
    for (size_t at = 0; p && at < n;) {
        ssize_t got = pread(fd, p + at, n - at, (off_t)(offset + at));
        if (got <= 0) {
            qi_onnx_bad(s, NULL, QIAO_E_IO, "external data '%.80s' cannot be read", location);
            p = NULL;
        } else
            at += (size_t)got;
    }
    if (fd >= 0) close(fd);
    if (p && s->hash) qiao_hash_add(s->hash, p, n);
    return p;
}

static bool wrong_count(qi_source *s, const tensor *t, size_t got, int64_t want) {
    return qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                       "tensor '%.80s' has %zu numbers or bytes, its shape asks for %lld", t->name,
                       got, (long long)want);
}
static bool large(qi_source *s, const tensor *t) {
    return qi_onnx_bad(s, NULL, QIAO_E_UNSUPPORTED,
                       "tensor '%.80s' has a whole number beyond 2^24, which is not supported",
                       t->name);
}
static bool from_raw(qi_source *s, const tensor *t, int64_t n, float *x) {
    size_t each = (size_t)TYPE[t->type].bytes, have = (size_t)(t->raw.end - t->raw.at);
    if (have != (size_t)n * each) return wrong_count(s, t, have, n * (int64_t)each);
    qi_wire w = t->raw;
    uint64_t v;
    for (int64_t i = 0; i < n; i++) {
        qi_wire_fixed(&w, each, &v);
        if (!number(t->type, v, x + i)) return large(s, t);
    }
    return true;
}
// From the field that the type has: 4 float, 5 int32, 7 int64, 10 double, 11 uint64.
static bool from_typed(qi_source *s, const tensor *t, qi_wire w, int64_t n, float *x) {
    int no = t->type == 1                     ? 4
             : t->type == 7                   ? 7
             : t->type == 11                  ? 10
             : t->type >= 12 && t->type <= 13 ? 11
                                              : 5;
    size_t fixed = no == 4 ? 4 : no == 10 ? 8 : 0;
    int64_t have = 0;
    qi_field f;
    while (qi_wire_next(&w, &f) > 0) {
        if (f.no != no) continue;
        qi_wire one = f.sub;
        uint64_t v = f.v;
        bool packed = f.type == QI_WIRE_BYTES;
        while (!packed || one.at < one.end) {
            if (packed && !(fixed ? qi_wire_fixed(&one, fixed, &v) : qi_wire_var(&one, &v)))
                return qi_onnx_bad(s, one.at, QIAO_E_FORMAT, "tensor '%.80s' is cut off", t->name);
            if (have == n) return wrong_count(s, t, (size_t)have + 1, n);
            if (!number(t->type, v, x + have++)) return large(s, t);
            if (!packed) break;
        }
    }
    return have == n || wrong_count(s, t, (size_t)have, n);
}

static bool read_head(qi_source *s, qi_wire w, tensor *t) {
    qi_field f;
    int more;
    t->name = "";
    while ((more = qi_wire_next(&w, &f)) > 0) {
        if (f.no == 1) { // dims, packed or not
            qi_wire one = f.sub;
            uint64_t v = f.v;
            bool packed = f.type == QI_WIRE_BYTES;
            while (!packed || one.at < one.end) {
                if (packed && !qi_wire_var(&one, &v))
                    return qi_onnx_bad(s, one.at, QIAO_E_FORMAT, "a tensor's shape is cut off");
                if (t->rank == QI_RANK)
                    return qi_onnx_bad(s, one.at, QIAO_E_UNSUPPORTED,
                                       "a tensor has more than %d dimensions", QI_RANK);
                t->dim[t->rank++] = (int64_t)v;
                if (!packed) break;
            }
        }
        if (f.no == 2) t->type = f.v < 100 ? (int)f.v : 99;
        if (f.no == 14) t->external = f.v == 1;
        if (f.type != QI_WIRE_BYTES) continue;
        if (f.no == 8 && !(t->name = qi_onnx_text(s, f.sub))) return false;
        if (f.no == 9) t->raw = f.sub, t->has_raw = true;
        if (f.no == 13 && !read_external(s, f.sub, t)) return false;
    }
    return more == 0 || qi_onnx_bad(s, w.at, QIAO_E_FORMAT, "a tensor is cut off or not ONNX");
}
qi_val *qi_onnx_tensor(qi_source *s, qi_wire w) {
    tensor t = {0};
    qi_kind kind;
    if (!read_head(s, w, &t)) return NULL;
    if (!qi_nn_type_kind(t.type, &kind)) {
        qi_onnx_bad(s, w.at, QIAO_E_UNSUPPORTED,
                    "tensor '%.80s' is of type %s, which is not "
                    "supported",
                    t.name, qi_nn_type_name(t.type));
        return NULL;
    }
    int64_t n = 1;
    for (int i = 0; i < t.rank; i++) {
        if (t.dim[i] < 0 || t.dim[i] > QI_NN_SIZE_MAX || (n *= t.dim[i]) > QI_NN_SIZE_MAX) {
            qi_onnx_bad(s, w.at, QIAO_E_LIMIT, "tensor '%.80s' is larger than 2^26 numbers",
                        t.name);
            return NULL;
        }
    }
    size_t bytes = (size_t)n * (size_t)TYPE[t.type].bytes;
    if (t.external) {
        if (t.has_length && t.length != bytes) {
            wrong_count(s, &t, (size_t)t.length, (int64_t)bytes);
            return NULL;
        }
        const uint8_t *p = qi_onnx_external(s, t.location ? t.location : "", t.offset, bytes);
        if (!p) return NULL;
        t.raw = (qi_wire){p, p + bytes}, t.has_raw = true;
    }
    // no more memory than the file's own bytes speak for
    if (!t.has_raw && n > w.end - w.at) {
        wrong_count(s, &t, (size_t)(w.end - w.at), n);
        return NULL;
    }
    if (t.has_raw && bytes != (size_t)(t.raw.end - t.raw.at)) {
        wrong_count(s, &t, (size_t)(t.raw.end - t.raw.at), (int64_t)bytes);
        return NULL;
    }
    qi_val *v = qiao_arena_get(s->a, sizeof *v);
    float *x = qiao_arena_get(s->a, (size_t)n * sizeof *x);
    if (!v || !x) {
        qi_onnx_bad(s, NULL, QIAO_E_MEM, "out of memory");
        return NULL;
    }
    if (!(t.has_raw ? from_raw(s, &t, n, x) : from_typed(s, &t, w, n, x))) return NULL;
    *v = (qi_val){.name = t.name, .kind = kind, .rank = t.rank, .size = (int)n, .data = x};
    for (int i = 0; i < t.rank; i++) v->dim[i] = (int)t.dim[i];
    return v;
}
