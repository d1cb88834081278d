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


def fault(err, words=""):
    """The exception for a qiao_err and what was said about it."""
    return QiaoError(text(lib.qiao_err_name(err)), words or text(lib.qiao_err_text(err)))


def check(p, diag):
    """p, or, if it is NULL, the fault that diag tells of."""
    if p:
        return p
    raise fault(diag.err, text(diag.text))


def text(p):
    return "" if p == ffi.NULL else ffi.string(p).decode("utf-8", "replace")


def view(p, shape, dtype=np.float64, write=False):
    """A numpy array on memory at p: no copy. It must not outlive its owner."""
    n = int(np.prod(shape))
    if n == 0:
        return np.zeros(shape, dtype)
    a = np.frombuffer(ffi.buffer(p, n * np.dtype(dtype).itemsize), dtype).reshape(shape)
    a.flags.writeable = write
    return a


def pointer(a):
    """double * of a C-contiguous float64 array."""
    if a.dtype != np.float64 or not a.flags.c_contiguous:
        raise TypeError("an array of float64, C order, is needed")
    return ffi.cast("double *", a.ctypes.data)
