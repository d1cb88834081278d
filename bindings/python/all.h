// SPDX-License-Identifier: Apache-2.0
// all.h - what the Python package binds: cdef.py turns it into qiao.cdef.
#include "qiao/dyn.h"
#include "qiao/prove.h"
