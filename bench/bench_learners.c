// SPDX-License-Identifier: Apache-2.0
// Two learners on one small robot task: how many steps of worlds until a step is worth so much.
// An arm of two joints, driven by torque, follows a swing; both recipes name the same task, the
// same networks and the same discount.
#include "qiao/learn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char arm[] =
    "<mujoco><option timestep='0.004' integrator='implicitfast'/><worldbody>"
    "<body name='upper' pos='0 0 1'><joint name='shoulder' type='hinge' axis='0 1 0' damping='0.1' "
    "armature='0.02'/><geom type='capsule' size='0.03' fromto='0 0 0 0 0 -0.3' mass='1' "
    "contype='0' conaffinity='0'/>"
    "<body name='lower' pos='0 0 -0.3'><joint name='elbow' type='hinge' axis='0 1 0' damping='0.1' "
    "armature='0.01'/><geom type='capsule' size='0.025' fromto='0 0 0 0 0 -0.25' mass='0.6' "
    "contype='0' conaffinity='0'/></body></body></worldbody>"
    "<actuator><motor name='shoulder' joint='shoulder'/><motor name='elbow' joint='elbow'/>"
    "</actuator></mujoco>";
static const char robot[] = "name: arm\nkind: arm\nmodel: arm.xml\nbase: upper\n"
                            "drives: [{match: '*', kp: 0, kd: 0, torque: 10}]\n"
                            "sensors: [{kind: joint_pos}, {kind: joint_vel}]\n";
static const char scenario[] =
    "import qiao\n\nscenario swing:\n    title: \"An arm moves freely\"\n"
    "    title_zh: \"机械臂自由运动\"\n\n    world: environment\n    robot: arm_robot\n\n"
    "    do serial(duration: 5s):\n        wait elapsed(5s)\n\n"
    "    score:\n        moved: complete(1.0)\n        time_limit(6s)\n";
static const char brain[] =
    "name: arm_follow\nrobot: arm\nnetwork: {policy: policy.onnx}\nrate_hz: 50\n"
    "joints: [shoulder, elbow]\nobservation: {terms: [{term: joint_pos}, {term: joint_vel, scale: "
    "0.2},\n  {term: motion_command, scale: 0.5}]}\naction: {meaning: torque, scale: 5}\n"
    "motion: {file: motion.tsv, rate_hz: 50, loop: true}\n";
static const char task[] = "robot: robot.yaml\nscenario: swing.osc\nengine: lanes\nseconds: 4\n"
                           "checkpoint: 100000\nmotion: {file: swing.csv, loop: true}\n"
                           "start: {joint: 0.3}\n"
                           "rewards: {motion_joint_pos: {weight: 1, width: 0.4},\n"
                           "  motion_joint_vel: {weight: 0.2, width: 3}}\n";
static const char *const learner[2] = {
    "worlds: 32\nppo: {horizon: 32, epochs: 10, minibatches: 4, gamma: 0.95, std: 0.4, entropy: 0, "
    "rate: 1e-3, actor: [64, 64], critic: [64, 64], activation: tanh}\n",
    "worlds: 8\nlearner: td3\ntd3: {horizon: 1, keep: 8000, batch: 128, updates: 8, warm: 20, "
    "reach: 1, noise: 0.1, smooth: 0.1, smooth_max: 0.3, gamma: 0.95, tau: 0.02, actor_rate: 1e-3, "
    "critic_rate: 1e-3, actor: [64, 64], critic: [64, 64], activation: relu}\n"};
static const char *const name[2] = {"ppo", "td3"};

static char dir[] = "/tmp/qiao-bench-XXXXXX";

static void put(const char *file, const char *text, const char *more) {
    char path[200], all[4000];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", dir, file);
    snprintf(all, sizeof all, "%s%s", text, more);
    if (qiao_file_write(path, all, strlen(all), &d)) fprintf(stderr, "%s\n", d.text), exit(2);
}

static void put_swing(void) {
    static char text[8000];
    char *p = text, path[200];
    qiao_diag d = {0};
    p += sprintf(p, "time,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz,shoulder,elbow");
    for (int i = 0; i < 100; i++) {
        double a = 6.283185307179586 * i / 100;
        p += sprintf(p, "\n%g,0,0,1,1,0,0,0,%.5f,%.5f", 0.02 * i, 1.2 * sin(a),
                     0.8 + 0.8 * sin(2 * a + 0.7));
    }
    snprintf(path, sizeof path, "%s/swing.csv", dir);
    if (qiao_file_write(path, text, strlen(text), &d)) fprintf(stderr, "%s\n", d.text), exit(2);
}

// Steps of worlds until the last 2,000 of them were worth `goal` of the most on average; 0: never.
static double steps_to(int k, uint64_t seed, double goal, double most_steps, double *seconds) {
    char path[200];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s.yaml", dir, name[k]);
    qiao_train_def def = qiao_train_def_default();
    def.recipe = path, def.seed = seed, def.nthread = 1;
    qiao_train *t = qiao_train_new(&def, &d);
    if (!t) fprintf(stderr, "%s\n", d.text), exit(2);
    double at[4096], worth[4096], reached = 0;
    *seconds = 0;
    for (int n = 0; reached == 0; n++) {
        qiao_train_stats s;
        qiao_train_step(t, &s);
        *seconds += s.live_s + s.learn_s;
        at[n % 4096] = s.steps, worth[n % 4096] = s.reward / (1.2 * 0.02);
        double sum = 0, c = 0;
        for (int i = n; i >= 0 && i > n - 4096 && at[i % 4096] > s.steps - 2000; i--)
            sum += worth[i % 4096], c++;
        if (s.steps >= 2000 && sum / c >= goal) reached = s.steps;
        if (s.steps > most_steps) break;
    }
    qiao_train_free(t);
    return reached;
}

int main(void) {
    if (!mkdtemp(dir)) return 2;
    put("arm.xml", arm, ""), put("robot.yaml", robot, ""), put("swing.osc", scenario, "");
    put("brain.yaml", brain, ""), put("ppo.yaml", task, learner[0]);
    put("td3.yaml", task, learner[1]), put_swing();
    const char *more = getenv("QIAO_BENCH_SEEDS");
    int seeds = more ? atoi(more) : 1;
    printf("steps of worlds until a step is worth 90 %% of the most; s of one thread\n");
    for (uint64_t seed = 1; seed <= (uint64_t)seeds; seed++) {
        double n[2], s[2];
        for (int k = 0; k < 2; k++) n[k] = steps_to(k, seed, 0.9, k ? 6e4 : 3e5, &s[k]);
        printf("seed %llu: ppo %.0f in %.1f s, td3 %.0f in %.1f s: %.2f times as many steps\n",
               (unsigned long long)seed, n[0], s[0], n[1], s[1], n[1] > 0 ? n[0] / n[1] : 0);
    }
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    return system(cmd) == 0 ? 0 : 1;
}
