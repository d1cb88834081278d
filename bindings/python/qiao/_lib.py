# SPDX-License-Identifier: Apache-2.0
"""libqiao.so through cffi, and numpy views on its memory."""
import os
import pathlib

import numpy as np
from cffi import FFI

here = pathlib.Path(__file__).resolve().parent
ffi = FFI()
ffi.cdef((here / "qiao.cdef").read_text())
if "QIAO_HOME" not in os.environ and (here / "data").is_dir():
    os.environ["QIAO_HOME"] = str(here / "data")  # robots, scenarios and brains of the wheel
lib = ffi.dlopen(str(here / "libqiao.so"))


class QiaoError(Exception):
    """What Qiao says of a fault; .code is the name of the error, as "E_NAME"."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def new_diag():
    return ffi.new("qiao_diag *")


def check(good, diag):
    """good, or the fault that diag tells of."""
    if good is True or good not in (False, ffi.NULL, None):
        return good
    raise QiaoError(text(lib.qiao_err_name(diag.err)), text(diag.text) or "unknown fault")


def text(p):
    return "" if p == ffi.NULL else ffi.string(p).decode("utf-8", "replace")


_size = {np.dtype(np.float64): 8, np.dtype(np.int64): 8, np.dtype(np.uint8): 1}


def view(p, shape, dtype=np.float64, write=False):
    """A numpy array on memory at p: no copy. It must not outlive its owner."""
    n = int(np.prod(shape))
    if n == 0:
        return np.zeros(shape, dtype)
    a = np.frombuffer(ffi.buffer(p, n * _size[np.dtype(dtype)]), dtype).reshape(shape)
    a.flags.writeable = write
    return a


def pointer(a):
    """double * of a C-contiguous float64 array."""
    if a.dtype != np.float64 or not a.flags.c_contiguous:
        raise TypeError("an array of float64, C order, is needed")
    return ffi.cast("double *", a.ctypes.data)
