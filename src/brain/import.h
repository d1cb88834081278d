// SPDX-License-Identifier: Apache-2.0
// import.h - what the readers of manifests share: arrays by joint, terms, checks. One file a form.
#ifndef QI_BRAIN_IMPORT_H
#define QI_BRAIN_IMPORT_H

#include "brain/manifest.h"

typedef struct qi_import { // one file being read
    qi_manifest *m;
    qi_yaml *y;              // m->y, for YAML forms
    yaml_node_t *root;       // of the document
    const qiao_robot *robot; // or NULL
    const char *dir;         // folder of the file
    qiao_diag *d;
} qi_import;

// Every reader fills im->m and returns false with im->d filled on a fault.
bool qi_read_qiao(qi_import *im);                     // manifest_read.c
bool qi_import_deploy(qi_import *im);                 // import_deploy.c: unitree_rl_lab
bool qi_import_rl_gym(qi_import *im);                 // import_unitree.c: unitree_rl_gym
bool qi_import_rl_sar(qi_import *im);                 // import_rl_sar.c
bool qi_import_pointfoot(qi_import *im);              // import_limx.c
bool qi_import_humanoid(qi_import *im);               // import_limx.c
bool qi_import_leju(qi_import *im);                   // import_leju.c
bool qi_import_onnx(qi_import *im, const char *path); // import_onnx.c: metadata, or Playground

// ---- arrays and terms ----
double *qi_im_row(qi_import *im, int n, double value); // n times value, NULL: out of memory
// Starts a manifest of n joints: arrays of defaults, names unset.
bool qi_im_joints(qi_import *im, int n);
// Names of the joints that the robot's drives move, in its order; fault at `at` if there is no
// robot or it has another number of them. why: what the file lacks.
bool qi_im_robot_joints(qi_import *im, yaml_node_t *at, int n, const char *why);
void qi_im_name_joint(qi_import *im, int i, const char *name, const yaml_node_t *at);
// The next term of a group (default values), NULL: too many.
qi_term *qi_im_term(qi_import *im, qi_obs_group *g, qi_term_kind kind, double scale);
void qi_im_scale3(qi_import *im, qi_term *t, double x, double y, double z);
__attribute__((format(printf, 2, 3))) void qi_im_note(qi_import *im, const char *fmt, ...);

// ---- values of YAML ----
bool qi_im_number(qi_import *im, yaml_node_t *at, const char *what, double *x);
// A list of exactly n numbers, or (one: true) a single number for all.
bool qi_im_list(qi_import *im, yaml_node_t *at, const char *what, int n, bool one, double *x);
yaml_node_t *qi_im_need(qi_import *im, yaml_node_t *map, const char *key);   // fault if missing
int qi_im_count(qi_import *im, yaml_node_t *at, const char *what, int most); // -1: fault
// The name of one of known[n]; fault with the nearest.
int qi_im_choice(qi_import *im, yaml_node_t *at, const char *what, const char *const *known, int n);

// Sizes and places of all terms, and what must fit what. Again after an encoder's size is known.
bool qi_manifest_layout(qi_manifest *m, qiao_diag *d);
// Defaults that need the joints: whole joint terms, scales of 1.
bool qi_im_finish(qi_import *im);

#endif
