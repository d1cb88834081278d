// SPDX-License-Identifier: Apache-2.0
// draw.c - pictures with MuJoCo's renderer in an OSMesa context, written by libpng.
// OSMesa is opened when the first picture is drawn, so that nothing else needs it.
#include "model/mjguard.h"
#include "qiao/model.h"

#include <dlfcn.h>
#include <math.h>
#include <mujoco/mujoco.h>
#include <png.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// OSMesa keeps a few hundred bytes of its contexts: the leak checker need not tell us each time.
#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_CHECKED 1
#endif
#endif
#ifdef LEAKS_CHECKED
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libOSMesa.so\n"; }
#endif

typedef struct mesa { // the four calls that are needed
    void *lib;
    void *(*create)(unsigned format, int depth, int stencil, int accum, void *share);
    unsigned char (*make_current)(void *ctx, void *buffer, unsigned type, int w, int h);
    void (*destroy)(void *ctx);
} mesa;
enum { GL_RGBA = 0x1908, GL_UNSIGNED_BYTE = 0x1401 };

static bool mesa_open(mesa *o, qiao_diag *d) {
    o->lib = dlopen("libOSMesa.so.8", RTLD_NOW | RTLD_GLOBAL);
    if (!o->lib) o->lib = dlopen("libOSMesa.so", RTLD_NOW | RTLD_GLOBAL);
    void *f[3] = {NULL, NULL, NULL};
    const char *names[] = {"OSMesaCreateContextExt", "OSMesaMakeCurrent", "OSMesaDestroyContext"};
    for (int i = 0; o->lib && i < 3; i++) f[i] = dlsym(o->lib, names[i]);
    memcpy(&o->create, &f[0], sizeof f[0]);
    memcpy(&o->make_current, &f[1], sizeof f[1]);
    memcpy(&o->destroy, &f[2], sizeof f[2]);
    if (f[0] && f[1] && f[2]) return true;
    qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0,
                  "pictures need OSMesa (Debian package libosmesa6): %s", dlerror());
    return false;
}

static qiao_err write_png(const char *path, const unsigned char *rgb, int w, int h, qiao_diag *d) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (unsigned)w,
                       .height = (unsigned)h,
                       .format = PNG_FORMAT_RGB};
    // MuJoCo's rows go upwards: a negative stride turns them
    if (png_image_write_to_file(&image, path, 0, rgb, -3 * w, NULL)) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", image.message);
}

// Where nothing was drawn (depth 1) the picture gets a calm sky.
static void paint_sky(unsigned char *rgb, const float *depth, int w, int h) {
    for (int y = 0; y < h; y++) {
        double t = (double)y / (h > 1 ? h - 1 : 1);
        unsigned char sky[3] = {(unsigned char)(236 - 60 * t), (unsigned char)(240 - 38 * t),
                                (unsigned char)(245 - 16 * t)};
        for (int x = 0; x < w; x++)
            if (depth[(size_t)y * (size_t)w + (size_t)x] >= 1)
                memcpy(rgb + 3 * ((size_t)y * (size_t)w + (size_t)x), sky, 3);
    }
}

// Where the floor ends, a pixel is part floor, part black background: it becomes part sky.
static void mend_horizon(unsigned char *rgb, const float *depth, int w, int h) {
    for (int y = 1; y + 1 < h; y++)
        for (int x = 0; x < w; x++) {
            size_t at = (size_t)y * (size_t)w + (size_t)x, up = at + (size_t)w;
            if (depth[at] >= 1 || depth[up] < 1) continue;
            unsigned char *p = rgb + 3 * at;
            const unsigned char *sky = rgb + 3 * up, *floor = rgb + 3 * (at - (size_t)w);
            if (floor[0] > 100 && p[0] + 40 < floor[0])
                for (int k = 0; k < 3; k++) p[k] = (unsigned char)((sky[k] + floor[k]) / 2);
        }
}

// Box around all drawn geoms that are no planes.
static void bounds(const mjModel *m, const mjData *data, double lo[3], double hi[3]) {
    for (int k = 0; k < 3; k++) lo[k] = 1e9, hi[k] = -1e9;
    for (int i = 0; i < m->ngeom; i++) {
        if (m->geom_type[i] == mjGEOM_PLANE || m->geom_group[i] > 2) continue;
        for (int k = 0; k < 3; k++) {
            double r = m->geom_rbound[i], c = data->geom_xpos[3 * i + k];
            double box = 0; // half width of the turned bounding box
            for (int j = 0; j < 3; j++)
                box += fabs(data->geom_xmat[9 * i + 3 * k + j]) * m->geom_aabb[6 * i + 3 + j];
            if (box < r) r = box;
            lo[k] = fmin(lo[k], c - r), hi[k] = fmax(hi[k], c + r);
        }
    }
    if (lo[0] > hi[0])
        for (int k = 0; k < 3; k++) lo[k] = -0.5, hi[k] = 0.5;
}

static void aim(mjvCamera *cam, const qiao_view *v, const double lo[3], const double hi[3]) {
    mjv_defaultCamera(cam);
    bool fit = !v || v->distance <= 0;
    double size = 0;
    for (int k = 0; k < 3; k++) {
        cam->lookat[k] = fit ? (lo[k] + hi[k]) / 2 : v->look[k];
        size += (hi[k] - lo[k]) * (hi[k] - lo[k]);
    }
    cam->distance = fit ? 1.25 * sqrt(size) + 0.05 : v->distance;
    bool set = v && (v->azimuth != 0 || v->elevation != 0);
    cam->azimuth = set ? v->azimuth : 140;
    cam->elevation = set ? v->elevation : -18;
}

// One sun with shadow, one soft fill, and a floor under a model that has none.
static void dress(const mjModel *m, mjvScene *scn, const mjvCamera *cam, const double lo[3]) {
    bool floor = false;
    for (int i = 0; i < m->ngeom; i++)
        floor |= m->geom_type[i] == mjGEOM_PLANE || m->geom_type[i] == mjGEOM_HFIELD;
    // a scene's ground; not the foot of an arm
    for (int i = 0; i < m->ngeom; i++)
        floor |= m->geom_bodyid[i] == 0 ||
                 (m->body_weldid[m->geom_bodyid[i]] == 0 && m->geom_rbound[i] > 1);
    if (!floor && scn->ngeom < scn->maxgeom) {
        mjvGeom *g = scn->geoms + scn->ngeom++;
        double size[3] = {40, 40, 0.01}, pos[3] = {0, 0, lo[2]};
        float rgba[4] = {0.80f, 0.82f, 0.84f, 1};
        mjv_initGeom(g, mjGEOM_PLANE, size, pos, NULL, rgba);
    }
    if (m->nlight == 0) {
        mjvLight *sun = &scn->lights[scn->nlight++];
        memset(sun, 0, sizeof *sun);
        float dir[3] = {-0.4f, 0.35f, -0.85f};
        for (int k = 0; k < 3; k++) {
            sun->dir[k] = dir[k];
            sun->pos[k] = (float)(cam->lookat[k] - 4 * cam->distance * (double)dir[k]);
            sun->diffuse[k] = 0.62f, sun->specular[k] = 0.25f, sun->ambient[k] = 0.12f;
        }
        sun->type = mjLIGHT_DIRECTIONAL, sun->castshadow = 1;
        sun->attenuation[0] = 1, sun->exponent = 1, sun->cutoff = 60;
    }
}

typedef struct studio { // what rendering needs, released together
    mjvScene scn;
    mjrContext con;
    mjData *data;
    mjModel *m;
    unsigned char *rgb;
    float *depth;
} studio;

static void render(studio *s, const double *q, const qiao_view *v, int w, int h) {
    mjModel *m = s->m;
    if (q) memcpy(s->data->qpos, q, (size_t)m->nq * sizeof *q);
    mj_forward(m, s->data);
    double lo[3], hi[3];
    bounds(m, s->data, lo, hi);
    mjvOption opt;
    mjvCamera cam;
    mjv_defaultOption(&opt);
    aim(&cam, v, lo, hi);
    m->vis.global.offwidth = w, m->vis.global.offheight = h;
    m->vis.quality.shadowsize = 4096;
    // sharp shadows where the camera looks
    m->stat.extent = cam.distance;
    m->vis.map.znear = 0.01f, m->vis.map.zfar = 60, m->vis.map.shadowclip = 1.8f;
    mjv_makeScene(m, &s->scn, 4000);
    mjr_makeContext(m, &s->con, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &s->con);
    mjv_updateScene(m, s->data, &opt, NULL, &cam, mjCAT_ALL, &s->scn);
    dress(m, &s->scn, &cam, lo);
    mjrRect view = {0, 0, w, h};
    mjr_render(view, &s->scn, &s->con);
    mjr_readPixels(s->rgb, s->depth, view, &s->con);
    paint_sky(s->rgb, s->depth, w, h);
    mend_horizon(s->rgb, s->depth, w, h);
}

static qiao_err draw(const qiao_model *model, const double *q, const qiao_view *v, int w, int h,
                     const char *png, qiao_diag *d) {
    mesa gl;
    if (!mesa_open(&gl, d)) return QIAO_E_UNSUPPORTED;
    size_t pixels = (size_t)w * (size_t)h;
    void *ctx = gl.create(GL_RGBA, 24, 8, 8, NULL), *back = malloc(pixels * 4);
    studio s = {.rgb = malloc(pixels * 3), .depth = malloc(pixels * sizeof(float))};
    qiao_err e = QIAO_E_MEM;
    setenv("MUJOCO_GL", "osmesa", 1);
    if (ctx && back && s.rgb && s.depth && gl.make_current(ctx, back, GL_UNSIGNED_BYTE, w, h)) {
        mjv_defaultScene(&s.scn), mjr_defaultContext(&s.con);
        qi_guard g;
        qi_guard_arm(&g);
        if (setjmp(g.jump) == 0) {
            s.m = mj_copyModel(NULL, model->mj), s.data = mj_makeData(s.m);
            render(&s, q, v, w, h);
            e = QIAO_OK;
        } else {
            e = qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0, "no picture: %s", g.text);
        }
        qi_guard_disarm(&g);
        if (!e) e = write_png(png, s.rgb, w, h, d);
        mjr_freeContext(&s.con), mjv_freeScene(&s.scn);
        mj_deleteData(s.data), mj_deleteModel(s.m);
    }
    if (e == QIAO_E_MEM) qiao_diag_set(d, e, NULL, 0, 0, "no memory for a picture of %dx%d", w, h);
    if (ctx) gl.destroy(ctx);
    free(back), free(s.rgb), free(s.depth);
    return e;
}

qiao_err qiao_model_draw(const qiao_model *m, const double *q, const qiao_view *v, int w, int h,
                         const char *png, qiao_diag *d) {
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER; // OpenGL's loader is global
    if (w < 1 || h < 1 || w > 8192 || h > 8192)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a picture of %dx%d", w, h);
    pthread_mutex_lock(&one);
    qiao_err e = draw(m, q, v, w, h, png, d);
    pthread_mutex_unlock(&one);
    return e;
}
