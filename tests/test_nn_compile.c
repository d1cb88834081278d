// SPDX-License-Identifier: Apache-2.0
// test_nn_compile.c - networks written as C99: built by the host's compiler and by one for a
// microcontroller, they give the bits of the plan.
#include "qiao/nn.h"
#include "test.h"
#include "nn_file.h"
#include "nn_lines.h"

#include <dlfcn.h>
#include <unistd.h>

static void *get(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return memset(p, 0, (n + 127) / 64 * 64);
}
static void dir_of(char dir[200], const char *name) {
    const char *build = getenv("QIAO_BUILD");
    snprintf(dir, 200, "%s/tests/%s", build ? build : "build/gcc", name);
}
// Runs a command; what it prints to out.
static int shell(char *out, size_t size, const char *command) {
    FILE *p = popen(command, "r");
    size_t n = p ? fread(out, 1, size - 1, p) : 0;
    out[n] = 0;
    while (p && !feof(p) && fread((char[256]){0}, 1, 256, p)) continue;
    return p ? pclose(p) : -1;
}
static void need(const char *command, const char *what) {
    char out[200], ask[200];
    snprintf(ask, sizeof ask, "command -v %s", command);
    if (shell(out, sizeof out, ask)) SKIP("%s is not there (%s)", command, what);
}

// One network, its inputs, what the plan answers.
typedef struct net {
    qiao_nn *nn;
    float *in[8], *out[8];
    char name[32];
} net;
enum { NETS_MAX = NLINE * 3 + 32 };
static net nets[NETS_MAX];
static int nnet;

static void answer(net *t) {
    for (int k = 0; k < qiao_nn_outputs(t->nn); k++)
        t->out[k] = get((size_t)qiao_nn_output(t->nn, k)->size * sizeof(float));
    void *work = get(qiao_nn_work(t->nn, 1));
    qiao_nn_run(t->nn, 1, (const float *const *)t->in, t->out, work);
    free(work);
}
static void add_lines(qiao_nn_type type) {
    static tensor_text x[8];
    for (int i = 0; i < NLINE; i++) {
        const line *l = &LINE[i];
        int nx, nout = 1;
        for (const char *s = l->out; *s; s++) nout += *s == '|';
        qiao_diag d = {0};
        pb m = make_file(l->op, l->opset, l->attrs, l->in, nout, x, &nx);
        net *t = &nets[nnet++];
        *t = (net){.nn = qiao_nn_read(m.p, m.n, l->op, NULL, type, &d)};
        CHECK(t->nn, "%s", d.text);
        snprintf(t->name, sizeof t->name, "n%d_%s", nnet, l->op);
        for (int k = 0; k < nx; k++) {
            t->in[k] = get((size_t)x[k].n * sizeof(float));
            for (int j = 0; j < x[k].n; j++) t->in[k][j] = (float)x[k].x[j];
        }
        answer(t), free(m.p);
    }
}
static void drop_nets(void) {
    for (int i = 0; i < nnet; i++) {
        for (int k = 0; k < 8; k++) free(nets[i].in[k]), free(nets[i].out[k]);
        qiao_nn_free(nets[i].nn);
    }
    nnet = 0;
}
// all.c: every network, and a function that runs number i.
static void write_all(const char *dir) {
    char path[300];
    snprintf(path, sizeof path, "%s/all.c", dir);
    for (int i = 0; i < nnet; i++) {
        qiao_diag d = {0};
        CHECK(!qiao_nn_write_c(nets[i].nn, dir, nets[i].name, &d), "%s", d.text);
    }
    FILE *f = fopen(path, "w");
    CHECK(f, "%s", path);
    for (int i = 0; i < nnet; i++) fprintf(f, "#include \"%s.c\"\n", nets[i].name);
    fprintf(f, "void run(int i, const float *const *in, float *const *out, float *work);\n"
               "void run(int i, const float *const *in, float *const *out, float *work) {\n"
               "    (void)in;\n    switch (i) {\n");
    for (int i = 0; i < nnet; i++) {
        fprintf(f, "    case %d: %s_run(", i, nets[i].name);
        for (int k = 0; k < qiao_nn_inputs(nets[i].nn); k++) fprintf(f, "in[%d], ", k);
        for (int k = 0; k < qiao_nn_outputs(nets[i].nn); k++) fprintf(f, "out[%d], ", k);
        fprintf(f, "work); break;\n");
    }
    fprintf(f, "    }\n}\nint most(int i);\nint most(int i) {\n    switch (i) {\n");
    for (int i = 0; i < nnet; i++) fprintf(f, "    case %d: return %s_WORK;\n", i, nets[i].name);
    fprintf(f, "    }\n    return 0;\n}\n");
    fclose(f);
}
static void build_and_compare(const char *name) {
    static char out[8000];
    char dir[200], command[1000];
    dir_of(dir, name);
    write_all(dir);
    const char *cc = getenv("CC");
    snprintf(command, sizeof command,
             "cd %s && %s -std=c99 -O1 -Wall -Wextra -Werror -fPIC -shared -o all.so all.c 2>&1",
             dir, cc && *cc ? cc : "cc");
    int status = shell(out, sizeof out, command);
    CHECK(status == 0, "%s", out);
    snprintf(command, sizeof command, "%s/all.so", dir);
    void *lib = dlopen(command, RTLD_NOW | RTLD_LOCAL);
    CHECK(lib, "%s", dlerror());
    void (*run)(int i, const float *const *in, float *const *out, float *work);
    int (*most)(int i);
    *(void **)&run = dlsym(lib, "run"), *(void **)&most = dlsym(lib, "most");
    CHECK(run && most, "all.so lacks its functions");
    for (int i = 0; i < nnet; i++) {
        const net *t = &nets[i];
        float *own[8];
        for (int k = 0; k < qiao_nn_outputs(t->nn); k++)
            own[k] = get((size_t)qiao_nn_output(t->nn, k)->size * sizeof(float));
        float *work = get((size_t)most(i) * sizeof(float));
        run(i, (const float *const *)t->in, own, work);
        for (int k = 0; k < qiao_nn_outputs(t->nn); k++) {
            for (int j = 0; j < qiao_nn_output(t->nn, k)->size; j++) {
                float a = own[k][j], b = t->out[k][j];
                CHECK(!memcmp(&a, &b, sizeof a) || (a != a && b != b),
                      "%s: output %d, number %d is %.9g, in the plan %.9g", t->name, k, j,
                      (double)a, (double)b);
            }
            free(own[k]);
        }
        free(work);
    }
    dlclose(lib);
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(!shell(out, sizeof out, command), "%s", out);
}

TEST(every_operator_written_as_c) {
    need("cc", "a C compiler");
    for (int t = 0; t < 3; t++) add_lines((qiao_nn_type)t);
    build_and_compare("nn_c");
    drop_nets();
}
static uint32_t seed = 3;
static float rnd(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1;
}
static void add_policy(const char *file, qiao_nn_type type) {
    char path[1000];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", test_data(), file);
    net *t = &nets[nnet++];
    *t = (net){.nn = qiao_nn_load(path, type, &d)};
    CHECK(t->nn, "%s", d.text);
    snprintf(t->name, sizeof t->name, "policy%d", nnet);
    int n = qiao_nn_input(t->nn, 0)->size;
    t->in[0] = get((size_t)n * sizeof(float));
    for (int i = 0; i < n; i++) t->in[0][i] = rnd();
    answer(t);
}
TEST(policies_written_as_c) {
    need("cc", "a C compiler");
    if (!test_data()) SKIP("the makers' policies are not there (QIAO_DATA)");
    add_policy("limx/PF_TRON1A/policy/isaacgym/encoder.onnx", QIAO_NN_F32);
    add_policy("limx/PF_TRON1A/policy/isaacgym/policy.onnx", QIAO_NN_BF16);
    add_policy("mujoco_playground/sim2sim/go1_policy.onnx", QIAO_NN_F32);
    add_policy("mujoco_playground/sim2sim/leap_reorient_policy.onnx", QIAO_NN_I8);
    add_policy("unitree/g1_29dof/policy.onnx", QIAO_NN_BF16);
    add_policy("limx/HU_D04/walk/policy/default/policy.onnx", QIAO_NN_I8);
    build_and_compare("nn_policies");
    drop_nets();
}
// A program without an operating system: it runs the policies and prints the bits of their outputs
// through the debugger's door (Arm semihosting).
static const char START[] =
    "#include \"all.h\"\n"
    "extern unsigned stack_top;\nextern float bss_start, bss_end;\n"
    "static int host(int op, const void *p) {\n"
    "    register int r0 __asm__(\"r0\") = op;\n"
    "    register const void *r1 __asm__(\"r1\") = p;\n"
    "    __asm__ volatile(\"bkpt 0xab\" : \"+r\"(r0) : \"r\"(r1) : \"memory\");\n"
    "    return r0;\n}\n"
    "static void print(const float *x, int n) {\n"
    "    for (int i = 0; i < n; i++) {\n"
    "        union { float x; unsigned w; } u;\n"
    "        char s[10];\n"
    "        u.x = x[i];\n"
    "        for (int k = 0; k < 8; k++) s[k] = \"0123456789abcdef\"[u.w >> (28 - 4 * k) & 15];\n"
    "        s[8] = '\\n', s[9] = 0;\n"
    "        host(4, s);\n    }\n}\n"
    "static void reset(void) {\n"
    "    *(volatile unsigned *)0xe000ed88 |= 0xf << 20; /* the floating-point unit */\n"
    "    run_all(print);\n"
    "    host(0x18, (void *)0x20026);\n"
    "    for (;;) {}\n}\n"
    "static void fault(void) { host(4, \"fault\\n\"); host(0x18, (void *)0x20023); for (;;) {} }\n"
    "__attribute__((section(\".vectors\"), used)) static void *const vectors[16] = {\n"
    "    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault,\n"
    "    (void *)fault};\n";
static const char PLACES[] = // mps2-an386: code at 0, data at 0x20000000, 4 MB each
    "ENTRY(vectors_at)\nMEMORY { rom : ORIGIN = 0, LENGTH = 4M ram : ORIGIN = 0x20000000, LENGTH = "
    "4M }\n"
    "SECTIONS {\n .text : { vectors_at = .; KEEP(*(.vectors)) *(.text*) *(.rodata*) } > rom\n"
    " .ARM.exidx : { *(.ARM.exidx*) } > rom\n"
    " .data : { *(.data*) } > ram\n .bss : { *(.bss*) *(COMMON) } > ram\n"
    " stack_top = ORIGIN(ram) + LENGTH(ram);\n bss_start = ADDR(.bss); bss_end = .;\n}\n";
static void write_text(const char *dir, const char *name, const char *text) {
    char path[300];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    CHECK(!qiao_file_write(path, text, strlen(text), &d), "%s", d.text);
}
// all.h: inputs as constants, and every network run on them.
static void write_arm(const char *dir) {
    char path[300];
    snprintf(path, sizeof path, "%s/all.h", dir);
    for (int i = 0; i < nnet; i++) {
        qiao_diag d = {0};
        CHECK(!qiao_nn_write_c(nets[i].nn, dir, nets[i].name, &d), "%s", d.text);
    }
    FILE *f = fopen(path, "w");
    CHECK(f, "%s", path);
    for (int i = 0; i < nnet; i++) {
        const net *t = &nets[i];
        int n = qiao_nn_input(t->nn, 0)->size;
        fprintf(f, "#include \"%s.c\"\nstatic const float in%d[] = {", t->name, i);
        for (int k = 0; k < n; k++) fprintf(f, "%a, ", (double)t->in[0][k]);
        fprintf(f, "};\n");
    }
    fprintf(f, "static void run_all(void (*print)(const float *x, int n)) {\n");
    for (int i = 0; i < nnet; i++)
        fprintf(f,
                "    { static float y[64], work[%s_WORK]; %s_run(in%d, y, work); print(y, %d); }\n",
                nets[i].name, nets[i].name, i, qiao_nn_output(nets[i].nn, 0)->size);
    fprintf(f, "}\n");
    fclose(f);
    write_text(dir, "start.c", START), write_text(dir, "places.ld", PLACES);
}
static void run_on_arm(const char *cpu, const char *machine, const char *flags) {
    static char out[20000];
    char dir[200], command[1200];
    dir_of(dir, "nn_arm");
    write_arm(dir);
    snprintf(command, sizeof command,
             "cd %s && arm-none-eabi-gcc -mcpu=%s -mthumb %s -std=gnu99 -ffp-contract=off -O2 "
             "-ffreestanding -nostartfiles -T places.ld start.c -o all.elf 2>&1 && "
             "timeout 100 qemu-system-arm -M %s -semihosting -nographic -monitor none "
             "-kernel all.elf 2>&1",
             dir, cpu, flags, machine);
    int status = shell(out, sizeof out, command);
    CHECK(status == 0, "%s", out);
    const char *s = out;
    for (int i = 0; i < nnet; i++)
        for (int k = 0; k < qiao_nn_output(nets[i].nn, 0)->size; k++) {
            char *end;
            uint32_t w = (uint32_t)strtoul(s, &end, 16), own;
            memcpy(&own, &nets[i].out[0][k], sizeof own);
            CHECK(end == s + 8 && w == own, "%s: output %d is %.12s, in the plan %08x",
                  nets[i].name, k, s, own);
            s = end + 1;
        }
    CHECK(!*s, "more was printed: %s", s);
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(!shell(out, sizeof out, command), "%s", out);
}
TEST(networks_on_an_emulated_cortex_m) {
    static tensor_text x[8];
    need("arm-none-eabi-gcc", "gcc-arm-none-eabi");
    need("qemu-system-arm", "qemu-system-arm");
    // those with one input and output of the makers' policies, else small ones
    if (test_data()) {
        add_policy("limx/PF_TRON1A/policy/isaacgym/policy.onnx", QIAO_NN_F32);
        add_policy("mujoco_playground/sim2sim/go1_policy.onnx", QIAO_NN_I8);
    }
    static const char *const OP[] = {"Gelu", "LSTM", "Softmax", "Pow", "LayerNormalization",
                                     "Sqrt", "Sin"};
    for (size_t k = 0; k < sizeof OP / sizeof *OP; k++)
        for (int i = 0; i < NLINE; i++) {
            int nx;
            if (strcmp(LINE[i].op, OP[k])) continue;
            pb m = make_file(OP[k], LINE[i].opset, LINE[i].attrs, LINE[i].in, 1, x, &nx);
            net *t = &nets[nnet];
            if (nx == 1) {
                *t = (net){.nn = qiao_nn_read(m.p, m.n, OP[k], NULL, QIAO_NN_F32, NULL)};
                CHECK(t->nn, "%s", OP[k]);
                snprintf(t->name, sizeof t->name, "n%d_%s", ++nnet, OP[k]);
                t->in[0] = get((size_t)x[0].n * sizeof(float));
                for (int j = 0; j < x[0].n; j++) t->in[0][j] = (float)x[0].x[j];
                answer(t);
            }
            free(m.p);
        }
    run_on_arm("cortex-m4", "mps2-an386", "-mfloat-abi=hard -mfpu=fpv4-sp-d16");
    run_on_arm("cortex-m3", "mps2-an385", "-mfloat-abi=soft"); // no floating-point unit
    drop_nets();
}
TEST(names_that_are_no_c) {
    static tensor_text x[8];
    int nx;
    pb m = make_file("Relu", 13, "", "x[1] 1", 1, x, &nx);
    qiao_nn *nn = qiao_nn_read(m.p, m.n, "relu", NULL, QIAO_NN_F32, NULL);
    CHECK(nn, "Relu is not read");
    const char *bad[] = {"", "1a", "a b", "a-b", "../a", "a;", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_diag d = {0};
        CHECK(qiao_nn_write_c(nn, "/nonexistent", bad[i], &d) == QIAO_E_ARG, "'%s'", bad[i]);
        CHECK_TEXT(d.text, "is no name of C");
    }
    qiao_nn_free(nn), free(m.p);
}
