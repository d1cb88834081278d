# SPDX-License-Identifier: Apache-2.0
"""Networks beside ONNX Runtime: the makers' policies, and nets of every operator drawn at random.
    python3 tests/python/test_nn.py libqiao.so [SEED [COUNT]]
Prints "skip: why" where onnxruntime or onnx are absent."""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime as ort

    import nn_cases
except ImportError as e:
    print(f"skip: {e}")
    sys.exit(0)


class Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("rank", ctypes.c_int), ("dim", ctypes.c_int * 6),
                ("size", ctypes.c_int), ("batch", ctypes.c_bool)]


class Diag(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("text", ctypes.c_char * 1000)]


LIB = ctypes.CDLL(os.path.abspath(sys.argv[1]))
P = ctypes.c_void_p
LIB.qiao_nn_read.restype = P
LIB.qiao_nn_read.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_char_p,
                             ctypes.c_int, ctypes.POINTER(Diag)]
for f in ("qiao_nn_inputs", "qiao_nn_outputs", "qiao_nn_free"):
    getattr(LIB, f).argtypes = [P]
for f in ("qiao_nn_input", "qiao_nn_output"):
    getattr(LIB, f).restype = ctypes.POINTER(Port)
    getattr(LIB, f).argtypes = [P, ctypes.c_int]
LIB.qiao_nn_work.restype = ctypes.c_size_t
LIB.qiao_nn_work.argtypes = [P, ctypes.c_int]
LIB.qiao_nn_run.argtypes = [P, ctypes.c_int, P, P, P]
LIB.qiao_nn_write_c.argtypes = [P, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Diag)]


class Net:
    """Our side: bytes of an ONNX file, loaded; run(n, inputs) gives outputs [n][size]."""

    def __init__(self, data, folder=None, kind=0):
        d = Diag()
        self.nn = LIB.qiao_nn_read(data, len(data), b"net.onnx", folder, kind, ctypes.byref(d))
        if not self.nn:
            raise ValueError(d.text.decode())
        self.ins = [LIB.qiao_nn_input(self.nn, i)[0] for i in range(LIB.qiao_nn_inputs(self.nn))]
        self.outs = [LIB.qiao_nn_output(self.nn, i)[0] for i in range(LIB.qiao_nn_outputs(self.nn))]

    def __del__(self):
        if getattr(self, "nn", None):
            LIB.qiao_nn_free(self.nn)

    def run(self, n, xs):
        xs = [np.ascontiguousarray(x, np.float32) for x in xs]
        ys = [np.full((n, p.size), np.nan, np.float32) for p in self.outs]
        work = np.zeros(LIB.qiao_nn_work(self.nn, n) + 64, np.uint8)
        at = (work.ctypes.data + 63) // 64 * 64
        pointers = lambda a: (P * max(1, len(a)))(*[x.ctypes.data for x in a])
        err = LIB.qiao_nn_run(self.nn, n, pointers(xs), pointers(ys), at)
        return err, ys


WRITTEN = []  # (network, inputs of an item, its outputs), to be written as C99 and run again


def written():
    """Builds the kept networks as one C99 file; how many answer with other bits than the plan."""
    if not shutil.which("cc"):
        print("skip written: no C compiler")
        return 0
    folder = tempfile.mkdtemp(prefix="qiao_nn_")
    try:
        with open(f"{folder}/all.c", "w") as f:
            for i, (net, _, _) in enumerate(WRITTEN):
                d = Diag()
                if LIB.qiao_nn_write_c(net.nn, folder.encode(), b"n%d" % i, ctypes.byref(d)):
                    raise ValueError(d.text.decode())
                f.write(f'#include "n{i}.c"\nint most{i}(void);\nint most{i}(void) {{ return n{i}_WORK; }}\n')
        subprocess.run(["cc", "-std=c99", "-O1", "-fPIC", "-shared", "-o", "all.so", "all.c"], cwd=folder,
                       check=True)
        lib, wrong = ctypes.CDLL(f"{folder}/all.so"), 0
        for i, (net, xs, want) in enumerate(WRITTEN):
            xs = [np.ascontiguousarray(x, np.float32) for x in xs]
            ys = [np.full(p.size, np.nan, np.float32) for p in net.outs]
            work = np.zeros(getattr(lib, f"most{i}")(), np.float32)
            getattr(lib, f"n{i}_run")(*[P(a.ctypes.data) for a in [*xs, *ys, work]])
            same = all(np.array_equal(y.view(np.int32)[~np.isnan(y)], w.ravel().view(np.int32)[~np.isnan(y)])
                       and np.array_equal(np.isnan(y), np.isnan(w.ravel())) for y, w in zip(ys, want))
            wrong += not same
            if not same:
                print(f"FAIL written as C: network {i}")
        print(f"{len(WRITTEN)} networks written as C, {wrong} with other bits")
        return wrong
    finally:
        shutil.rmtree(folder)


def peer(data):
    o = ort.SessionOptions()
    o.log_severity_level = 4
    o.intra_op_num_threads = 1
    return ort.InferenceSession(data, o, providers=["CPUExecutionProvider"])


def near(ours, theirs, whole=False):
    """Largest difference over max(1, |theirs|), of each number or of the largest of them (whole);
    equal not-finite numbers agree."""
    a, b = ours.astype(np.float64).ravel(), np.asarray(theirs).astype(np.float64).ravel()
    if a.shape != b.shape:
        return np.inf
    with np.errstate(invalid="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        size = np.abs(b).max(initial=0) if whole else np.abs(b)
        off = np.abs(a - b) / np.maximum(1, size)
    off = np.where(same, 0, np.where(np.isnan(off), np.inf, off))
    return float(off.max()) if off.size else 0.0


TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_,
         "tensor(int32)": np.int32, "tensor(double)": np.float64}


def compare(data, draw, n=3, folder=None, keep=False, whole=False):
    """Off by how much, over n items; each item alone and the batch must have the same bits."""
    net, s = Net(data, folder), peer(data)
    xs = [np.stack([draw(p, net.ins[i]) for _ in range(n)]) for i, p in enumerate(s.get_inputs())]
    _, ys = net.run(n, xs)
    worst = 0.0
    for k in range(n):
        feed = {p.name: xs[i][k].reshape(list(net.ins[i].dim)[:net.ins[i].rank]).astype(TYPES[p.type])
                for i, p in enumerate(s.get_inputs())}
        _, alone = net.run(1, [x[k:k + 1] for x in xs])
        if keep and k == 0:
            WRITTEN.append((net, [x[0] for x in xs], alone))
        for y, z, want in zip(ys, alone, s.run(None, feed)):
            if y[k].tobytes() != z[0].tobytes():
                return np.inf
            worst = max(worst, near(z[0], want, whole))
    return worst


POLICIES = ["mujoco_playground/sim2sim/go1_policy.onnx",
            "mujoco_playground/sim2sim/leap_reorient_policy.onnx",
            "limx/PF_TRON1A/policy/isaacgym/encoder.onnx", "limx/PF_TRON1A/policy/isaacgym/policy.onnx",
            "limx/PF_TRON1A/policy/isaaclab/encoder.onnx", "limx/PF_TRON1A/policy/isaaclab/policy.onnx",
            "limx/HU_D04/walk/policy/default/policy.onnx", "unitree/g1_29dof/policy.onnx"]


def policies(rng):
    root = os.environ.get("QIAO_DATA", "../shared/data")
    if not os.path.exists(root + "/README.md"):
        print("skip policies: the makers' policies are not there (QIAO_DATA)")
        return 0
    failed = 0
    for name in POLICIES:
        data = open(f"{root}/{name}", "rb").read()
        # actions as one vector: single numbers of ONNX Runtime are 2e-5 off the exact result
        off = compare(data, lambda p, q: rng.uniform(-1, 1, q.size), 60, whole=True)
        print(f"{'ok' if off < 1e-5 else 'FAIL'} {name} off by {off:.2g}")
        failed += not off < 1e-5
    return failed


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    failed = policies(np.random.default_rng(seed))
    failed += nn_cases.run(compare, seed, count)
    failed += written()
    print(f"{failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
