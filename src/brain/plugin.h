// SPDX-License-Identifier: Apache-2.0
// plugin.h - a brain as a shared object: found, checked before it is trusted, and run.
#ifndef QI_BRAIN_PLUGIN_H
#define QI_BRAIN_PLUGIN_H

#include "qiao/brain.h"

// Is this file a shared object for this machine, whole? Nothing of it is run.
qiao_err qi_plugin_is_elf(const char *path, qiao_diag *d);
// Loads it and checks its table. The table stays valid until dlclose of *handle.
const qiao_brain_api *qi_plugin_open(const char *path, void **handle, qiao_diag *d);
void qi_plugin_close(void *handle);
// Is the rate one that can be? file: before the fault, or NULL.
qiao_err qi_plugin_rate(const char *file, double rate_hz, qiao_diag *d);
// Does the body give every signal that the brain reads?
qiao_err qi_plugin_need(const char *who, const char *const *need, const qiao_io *io, qiao_diag *d);
// Memory of n worlds, laid out and initialised. *mem is free()d by the caller.
qiao_err qi_plugin_init(const qiao_brain_api *api, const qiao_io *io, int n, void **mem,
                        qiao_diag *d);

#endif
