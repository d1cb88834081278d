// SPDX-License-Identifier: Apache-2.0
// check.h - inside the type check: where an expression stands and what it may use.
#ifndef QI_TASK_CHECK_H
#define QI_TASK_CHECK_H

#include "osc.h"

typedef struct qi_scope {
    qi_module *m;
    const qi_decl *self; // names are its fields
    const qi_type *it;   // type of 'it', or NULL
    bool live;           // measures and vars may be used: the trial is running
} qi_scope;

// Type of an expression, or NULL with the fault set. want: the type that is hoped for, or NULL.
const qi_type *qi_check_expr(qi_scope *s, qi_node *n, const qi_type *want);
// The same, and the type must be want.
bool qi_check_as(qi_scope *s, qi_node *n, const qi_type *want);
// An event specification: after wait, until, on.
bool qi_check_spec(qi_scope *s, qi_node *n);
// keep(..) lists.
bool qi_check_keeps(qi_scope *s, qi_node *n);
// Arguments of a call as fields of d: order or names; N_ARG's index becomes the field.
bool qi_check_args(qi_scope *s, qi_node *call, const qi_decl *d);
bool qi_same_type(const qi_type *a, const qi_type *b);
bool qi_fits(const qi_type *want, const qi_type *have);
const qi_type *qi_list_of(qi_module *m, const qi_type *elem);
const qi_type *qi_dim_type(qi_module *m, const int8_t dim[QI_NDIM]);
const qi_type *qi_time_type(qi_module *m);
// Names of d's fields, NULL-ended, for the nearest one.
const char *qi_near_field(qi_module *m, const qi_decl *d, const char *name);
const char *qi_did_you_mean(qi_module *m, const char *best); // "; did you mean 'x'?" or ""

// Lines of score: and envelope:.
bool qi_check_items(qi_scope *s, const qi_decl *d);

#endif
