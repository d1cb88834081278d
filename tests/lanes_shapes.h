// SPDX-License-Identifier: Apache-2.0
// lanes_shapes.h - one of each kind of convex shape for tests of contacts.
#ifndef QIAO_TEST_LANES_SHAPES_H
#define QIAO_TEST_LANES_SHAPES_H

// A wedge and a crooked rock of few faces.
#define SHAPE_MESHES                                                                             \
    "<mesh name='wedge' vertex='-.1 -.1 0  .1 -.1 0  -.1 .1 0  .1 .1 0  0 -.1 .12  0 .1 .12'/>"  \
    "<mesh name='rock' vertex='-.09 -.02 -.03  .11 .01 -.02  .02 .1 .01  -.03 -.1 .02  .01 .02 " \
    ".12 .03 -.03 -.1  -.07 .06 .05  .06 .07 -.05'/>"
#define SHAPES                                                                   \
    "type='sphere' size='.1'", "type='capsule' size='.05 .1'",                   \
        "type='ellipsoid' size='.12 .08 .05'", "type='cylinder' size='.08 .06'", \
        "type='box' size='.1 .07 .05'", "type='mesh' mesh='wedge'", "type='mesh' mesh='rock'"

#endif
