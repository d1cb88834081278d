// SPDX-License-Identifier: Apache-2.0
// sim/lanes_alike.h - which worlds may take each other's lanes. Inside room sim only.
#ifndef QI_LANES_ALIKE_H
#define QI_LANES_ALIKE_H

#include "sim/lanes_plan.h"

// As qi_lplan_alike, but bodies that are fixed to the world may be elsewhere: the engine keeps
// where they are for each world.
bool qi_lplan_castable(const qi_lplan *a, const qi_lplan *b);

#endif
