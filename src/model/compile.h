// SPDX-License-Identifier: Apache-2.0
// compile.h - MuJoCo's parser and compiler behind diagnostics; used inside room model.
#ifndef QI_COMPILE_H
#define QI_COMPILE_H

#include "qiao/model.h"

#include <mujoco/mujoco.h>

enum { QI_MODEL_FILE_MAX = 64 << 20 }; // bytes of an MJCF or URDF

// Whether a file (or text named path) stays within what is read; *urdf (or NULL): it is URDF.
bool qi_limits_check(const char *path, const char *data, size_t n, bool *urdf, qiao_diag *d);
// Parses a file, or a text when xml is not NULL (path then only names it). NULL and d on a fault.
mjSpec *qi_parse(const char *path, const char *xml, bool *urdf, qiao_diag *d);
// Compiles and takes the result over into a qiao_model; path names it in errors.
qiao_model *qi_compile(mjSpec *spec, const char *path, qiao_diag *d);
// Gives every hinge and slide joint a motor, if the spec has no actuator at all (URDF).
void qi_add_motors(mjSpec *spec);

#endif
