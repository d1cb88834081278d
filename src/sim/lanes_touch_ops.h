// SPDX-License-Identifier: Apache-2.0
// sim/lanes_touch_ops.h - the contact functions of every instance, behind plain memory: for tests
// and measurements. The engine includes sim/lanes_touch.inc and calls its table.
#ifndef QI_LANES_TOUCH_OPS_H
#define QI_LANES_TOUCH_OPS_H

#include <stdbool.h>

enum { QI_TOUCH_PLACE = 15, QI_TOUCH_OUT = 11 }; // numbers in a place and in a contact
typedef struct qi_touch_ops {
    const char *name;
    bool f64;
    int lanes;
    int (*usable)(void);              // on this processor
    int (*max)(int type1, int type2); // contacts of the pair; 0: not in lanes
    // a, b    [QI_TOUCH_PLACE][lanes]   position, columns of the rotation, size; 64-byte aligned
    // margin  [lanes]
    // out     [max][QI_TOUCH_OUT][lanes] dist, pos, n, t, on (all ones or all zeros)
    void (*run)(int type1, int type2, const void *a, const void *b, const void *margin, void *out);
} qi_touch_ops;

extern const qi_touch_ops *const qi_touch_all[]; // widest first for each number type
extern const int qi_touch_nall;

#endif
