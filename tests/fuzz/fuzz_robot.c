// SPDX-License-Identifier: Apache-2.0
// fuzz_robot.c - the reader of robot.yaml: any bytes end as a robot or as words, never otherwise.
#include "qiao/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char cart[] =
    "<mujoco><worldbody><body name='cart'><joint name='slide' type='slide' axis='1 0 0'/>"
    "<geom size='.1' mass='2'/><site name='imu'/></body></worldbody><actuator>"
    "<motor name='push' joint='slide'/></actuator><keyframe><key name='home'/></keyframe></mujoco>";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static bool ready;
    qiao_diag d = {0};
    if (!ready) {
        if (qiao_dir_make("build/fuzz/robot", &d) ||
            qiao_file_write("build/fuzz/robot/cart.xml", cart, strlen(cart), &d))
            abort();
        ready = true;
    }
    if (qiao_file_write("build/fuzz/robot/robot.yaml", data, n, &d)) abort();
    qiao_robot *r = qiao_robot_load("build/fuzz/robot/robot.yaml", &d);
    if (!r && (d.err == QIAO_OK || d.text[0] == 0)) abort(); // a refusal says why
    qiao_robot_free(r);
    return 0;
}
