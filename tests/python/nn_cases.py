# SPDX-License-Identifier: Apache-2.0
"""Nets of every operator, drawn at random: shapes, attributes, opsets 11 to 21. A case is a function
of Draw that returns the operator, its inputs and attributes; tests/python/test_nn.py compares."""
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

KIND = {np.dtype(np.float32): T.FLOAT, np.dtype(np.int64): T.INT64, np.dtype(np.bool_): T.BOOL,
        np.dtype(np.int32): T.INT32}


class Draw:
    """One net being made: v() an input of the network, c() a constant, node() an operator."""

    def __init__(self, rng, opset):
        self.rng, self.opset = rng, opset
        self.nodes, self.inits, self.inputs, self.samplers, self.n = [], [], [], {}, 0

    def int(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def pick(self, *a):
        return a[self.int(0, len(a) - 1)]

    def shape(self, lo=1, hi=4, most=5):
        return [self.int(1, most) for _ in range(self.int(lo, hi))]

    def name(self):
        self.n += 1
        return f"v{self.n}"

    def v(self, shape, sampler=None, kind=np.float32):
        n = self.name()
        size = int(np.prod(shape))
        dims = list(shape)
        if dims and dims[0] == 1 and self.int(0, 1):
            dims[0] = "batch"
        self.inputs.append(helper.make_tensor_value_info(n, KIND[np.dtype(kind)], dims))
        self.samplers[n] = sampler or (lambda: self.rng.uniform(-3, 3, size))
        return n

    def c(self, x, kind=np.float32):
        n = self.name()
        self.inits.append(numpy_helper.from_array(np.asarray(x, kind), n))
        return n

    def w(self, *shape):
        return self.c(self.rng.uniform(-1, 1, shape))

    def node(self, op, ins, nout=1, **attrs):
        outs = [self.name() for _ in range(nout)]
        self.nodes.append(helper.make_node(op, [i or "" for i in ins], outs,
                                           **{k: a for k, a in attrs.items() if a is not None}))
        return outs[0] if nout == 1 else outs

    def model(self, outs):
        outs = [outs] if isinstance(outs, str) else outs
        g = helper.make_graph(self.nodes, "g", self.inputs,
                              [helper.make_empty_tensor_value_info(o) for o in outs], self.inits)
        m = helper.make_model(g, opset_imports=[helper.make_opsetid("", self.opset)])
        m.ir_version = 8 if self.opset < 20 else 10
        m = onnx.shape_inference.infer_shapes(m)
        known = {i.name: i for i in m.graph.value_info} | {o.name: o for o in m.graph.output}
        for o in m.graph.output:
            if not o.type.tensor_type.elem_type and o.name in known:
                o.CopyFrom(known[o.name])
        return m


def positive(d, shape):
    return lambda: d.rng.uniform(0.1, 5, int(np.prod(shape)))


def broadcast(d):
    """Two shapes that fit each other."""
    full = d.shape()
    def part():
        s = [1 if d.int(0, 3) == 0 else x for x in full]
        return s[d.int(0, len(s) - 1):] if d.int(0, 1) else s
    return (full, part()) if d.int(0, 1) else (part(), full)


# ---- cases: name -> (first opset, function)
CASES = {}


def case(name, since=11):
    def add(f):
        CASES[name] = (since, f)
        return f
    return add


def unary(op, since=11, domain=None, **attrs):
    def f(d):
        s = d.shape()
        x = d.v(s, domain and (lambda: d.rng.uniform(*domain, int(np.prod(s)))))
        return d.node(op, [x], **{k: a(d) for k, a in attrs.items()})
    CASES[op] = (since, f)


some = lambda lo, hi: lambda d: float(d.rng.uniform(lo, hi))
for op in "Relu Sigmoid Tanh Softplus Exp Neg Abs Sin Cos Erf Floor Ceil Round Sign Softsign Tan Atan " \
          "Sinh Cosh".split():
    unary(op)
for op in "Sqrt Log Reciprocal".split():
    unary(op, domain=(0.1, 9))
for op in "Asin Acos".split():
    unary(op, domain=(-1, 1))
unary("LeakyRelu", alpha=some(0, 1))
unary("Elu", alpha=some(0.1, 2))
unary("Selu", alpha=some(1, 2), gamma=some(1, 2))
unary("Celu", 12, alpha=some(0.5, 2))
unary("HardSigmoid", alpha=some(0.1, 0.5), beta=some(0.1, 0.9))
unary("HardSwish", 14)
unary("Mish", 18)
unary("ThresholdedRelu", alpha=some(0, 1))
unary("Shrink", lambd=some(0, 1), bias=some(0, 1))
unary("Gelu", 20, approximate=lambda d: d.pick("none", "tanh"))

for op in "Add Sub Mul Div Min Max Equal Less Greater".split():
    def f(d, op=op):
        a, b = broadcast(d)
        return d.node(op, [d.v(a), d.v(b) if d.int(0, 1) else d.w(*b)])
    CASES[op] = (11, f)
for op in "LessOrEqual GreaterOrEqual".split():
    def f(d, op=op):
        a, b = broadcast(d)
        return d.node(op, [d.v(a), d.v(b)])
    CASES[op] = (12, f)
for op in "And Or Xor".split():
    def f(d, op=op):
        a, b = broadcast(d)
        return d.node(op, [d.node("Greater", [d.v(a), d.c(0)]), d.node("Less", [d.v(b), d.c(0.5)])])
    CASES[op] = (11, f)


@case("Not")
def _(d):
    return d.node("Not", [d.node("Greater", [d.v(d.shape()), d.c(0)])])


@case("IsNaN", 13)
def _(d):
    s = d.shape()
    return d.node("IsNaN", [d.node("Log", [d.v(s)])])


@case("Pow")
def _(d):
    a, b = broadcast(d)
    how = d.int(0, 3)
    if how == 0:
        return d.node("Pow", [d.v(a), d.c(float(d.pick(2, 3, 4, -1, 0, 1)))])
    if how == 1:
        return d.node("Pow", [d.v(a, positive(d, a)), d.c(d.pick(0.5, 0.3333, -1.5, 2.5))])
    return d.node("Pow", [d.v(a, positive(d, a)), d.v(b)])


@case("Mod")
def _(d):
    a, b = broadcast(d)
    if d.int(0, 1):
        return d.node("Mod", [d.v(a), d.v(b, positive(d, b))], fmod=1)
    ints = lambda s, lo, hi: lambda: d.rng.integers(lo, hi, int(np.prod(s)))
    return d.node("Mod", [d.v(a, ints(a, -20, 20), np.int64),
                          d.v(b, lambda: d.rng.integers(1, 7, int(np.prod(b))) *
                              d.rng.choice([-1, 1], int(np.prod(b))), np.int64)])


@case("int arithmetic")
def _(d):
    s = d.shape()
    x = d.v(s, lambda: d.rng.integers(-50, 50, int(np.prod(s))), np.int64)
    y = d.node("Div", [x, d.c(d.int(1, 9), np.int64)])
    return d.node("Cast", [d.node("Add", [d.node("Mul", [y, x]), d.c(3, np.int64)])], to=T.FLOAT)


for op in "Sum Mean Min Max".split():
    def f(d, op=op):
        full = d.shape()
        return d.node(op, [d.v(full)] + [d.v(full) for _ in range(d.int(0, 3))])
    CASES[op + " of many"] = (11, f)


@case("PRelu")
def _(d):
    s = d.shape(2, 4)
    return d.node("PRelu", [d.v(s), d.w(*([s[-1]] if d.int(0, 1) else [1] * len(s)))])


@case("Where")
def _(d):
    a, b = broadcast(d)
    return d.node("Where", [d.node("Greater", [d.v(a), d.c(0)]), d.v(b), d.w(*a) if d.int(0, 1) else d.v(a)])


@case("Clip")
def _(d):
    lo, hi = sorted(d.rng.uniform(-2, 2, 2))
    how = d.int(0, 3)
    return d.node("Clip", [d.v(d.shape()), d.c(lo) if how & 1 else None] + ([d.c(hi)] if how & 2 else []))


@case("Cast")
def _(d):
    s = d.shape()
    x = d.v(s)
    t = d.pick(T.INT64, T.INT32, T.BOOL, T.FLOAT16, T.FLOAT)
    return d.node("Cast", [d.node("Cast", [x], to=t)], to=T.FLOAT)


# ---- products
@case("MatMul")
def _(d):
    k, n = d.int(1, 70), d.int(1, 70)
    how = d.int(0, 5)
    a = d.shape(0, 2, 3) + [d.int(1, 6), k]
    if how == 0:
        return d.node("MatMul", [d.v([k]), d.w(k, n)])
    if how == 1:
        return d.node("MatMul", [d.v(a), d.w(k, n)])
    if how == 2:
        return d.node("MatMul", [d.v(a), d.v([k]) if d.int(0, 1) else d.w(k)])
    if how == 3:
        return d.node("MatMul", [d.w(*a), d.v([k, n])])
    b = [x if d.int(0, 1) else 1 for x in a[:-2]] + [k, n]
    return d.node("MatMul", [d.v(a), d.w(*b) if how == 4 else d.v(b)])


@case("Gemm")
def _(d):
    m, k, n = d.int(1, 4), d.int(1, 80), d.int(1, 80)
    ta, tb = d.int(0, 1), d.int(0, 1)
    b = [n, k] if tb else [k, n]
    c = d.pick(None, [n], [1, n], [1], [m, 1], [m, n], [])
    cc = None if c is None else (d.v(c) if c and d.int(0, 2) == 0 else d.w(*c))
    ins = [d.v([k, m] if ta else [m, k]), d.v(b) if d.int(0, 3) == 0 else d.w(*b)] + ([cc] if cc else [])
    return d.node("Gemm", ins, transA=ta, transB=tb, alpha=d.pick(None, 0.5), beta=d.pick(None, 1.5))


@case("dense layers")
def _(d):
    n = d.int(1, 60)
    x = d.v([d.pick(1, 1, 3), n])
    for _ in range(d.int(1, 3)):
        m = d.int(1, 60)
        w = d.c(d.rng.uniform(-1, 1, (n, m)) / np.sqrt(n))
        x = d.node("Gemm", [x, w, d.w(m)]) if d.int(0, 1) else d.node("Add", [d.node("MatMul", [x, w]), d.w(m)])
        how, n = d.int(0, 5), m
        if how == 0:
            x = d.node("Mul", [x, d.node("Sigmoid", [x])])
        if how == 1:  # Gelu as PyTorch writes it
            e = d.node("Add", [d.node("Erf", [d.node("Div", [x, d.c(1.4142135)])]), d.c(1.0)])
            x = d.node("Mul", [d.node("Mul", [x, e]), d.c(0.5)])
        if how == 2:
            e = d.node("Add", [d.node("Erf", [d.node("Mul", [x, d.c(0.70710677)])]), d.c(1.0)])
            x = d.node("Mul", [d.node("Mul", [d.c(0.5), x]), e])
        if how == 3:
            x = d.node(d.pick("Elu", "Relu", "Tanh", "Softplus", "LeakyRelu", "Sigmoid", "Exp"),
                       [d.node("Tanh", [x])])
        if how == 4:  # a value that others read too stays as it is
            x = d.node("Add", [d.node("Elu", [x]), x])
        if how == 5:  # LayerNorm as older exporters write it
            u = d.node("Sub", [x, mean(d, x)])
            s = d.node("Sqrt", [d.node("Add", [mean(d, d.node("Pow", [u, d.c(2.0)])), d.c(1e-5)])])
            x = d.node("Add", [d.node("Mul", [d.node("Div", [u, s]), d.w(n)]), d.w(n)])
    return x


def mean(d, x):
    if d.opset >= 18:
        return d.node("ReduceMean", [x, d.c([-1], np.int64)], keepdims=1)
    return d.node("ReduceMean", [x], axes=[-1], keepdims=1)


@case("attention")
def _(d):
    n, h, e = d.int(1, 5), d.int(1, 3), d.int(1, 6)
    x = d.v([1, n, h * e])
    dims = d.node("Shape", [x])  # shapes computed as PyTorch's exporter does
    at = lambda i: d.node("Unsqueeze", [d.node("Gather", [dims, d.c(i, np.int64)], axis=0)] +
                          ([d.c([0], np.int64)] if d.opset >= 13 else []),
                          axes=None if d.opset >= 13 else [0])
    def heads(perm):
        w = d.c(d.rng.uniform(-1, 1, (h * e, h * e)) / np.sqrt(h * e))
        y = d.node("Add", [d.node("MatMul", [x, w]), d.w(h * e)])
        s = d.node("Concat", [at(0), at(1), d.c([h], np.int64), d.c([e], np.int64)], axis=0)
        return d.node("Transpose", [d.node("Reshape", [y, s])], perm=perm)
    q, k, v = heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])
    s = d.node("Div", [d.node("MatMul", [q, k]), d.c(np.sqrt(e))])
    if d.int(0, 1):
        mask = np.where(np.tril(np.ones((n, n))), 0, -1e9)
        s = d.node("Add", [s, d.c(mask)])
    y = d.node("MatMul", [d.node("Softmax", [s], axis=-1 if d.opset >= 13 else 3), v])
    y = d.node("Transpose", [y], perm=[0, 2, 1, 3])
    return d.node("Reshape", [y, d.node("Concat", [at(0), at(1), d.c([-1], np.int64)], axis=0)])


# ---- rows
for op in "Sum Mean Max Min Prod L1 L2 SumSquare LogSum LogSumExp".split():
    def f(d, op=op):
        s = d.shape()
        x = d.v(s, positive(d, s) if "Log" in op else None)
        axes = sorted(d.rng.choice(len(s), d.int(1, len(s)), replace=False).tolist())
        axes = [a - len(s) if d.int(0, 1) else a for a in axes]
        keep = d.pick(0, 1, None)
        if d.int(0, 4) == 0:
            return d.node("Reduce" + op, [x], keepdims=keep)
        if d.opset >= (13 if op == "Sum" else 18):
            return d.node("Reduce" + op, [x, d.c(axes, np.int64)], keepdims=keep)
        return d.node("Reduce" + op, [x], axes=axes, keepdims=keep)
    CASES["Reduce" + op] = (11, f)
for op in "ArgMax ArgMin".split():
    def f(d, op=op):
        s = d.shape()
        return d.node(op, [d.v(s)], axis=d.int(-len(s), len(s) - 1), keepdims=d.pick(0, 1),
                      select_last_index=d.pick(0, 1) if d.opset >= 12 else None)
    CASES[op] = (11, f)
for op in "Softmax LogSoftmax".split():
    def f(d, op=op):
        s = d.shape()
        return d.node(op, [d.v(s)], axis=d.pick(None if len(s) > 1 else 0, d.int(-len(s), len(s) - 1)))
    CASES[op] = (11, f)


@case("CumSum")
def _(d):
    s = d.shape()
    return d.node("CumSum", [d.v(s), d.c(d.int(-len(s), len(s) - 1), np.int64)],
                  exclusive=d.pick(0, 1), reverse=d.pick(0, 1))


@case("LayerNormalization", 17)
def _(d):
    s = d.shape(1, 4, 9)
    axis = d.int(0, len(s) - 1)
    ins = [d.v(s), d.w(*s[axis:])] + ([d.w(*s[axis:])] if d.int(0, 1) else [])
    return d.node("LayerNormalization", ins, axis=axis - len(s) if d.int(0, 1) else axis, epsilon=1e-3)


@case("BatchNormalization")
def _(d):
    s = d.shape(2, 4)
    n = s[1]
    return d.node("BatchNormalization", [d.v(s), d.w(n), d.w(n), d.w(n), d.c(d.rng.uniform(0.1, 2, n))],
                  epsilon=d.pick(None, 1e-3))


@case("InstanceNormalization")
def _(d):
    s = d.shape(3, 4)
    return d.node("InstanceNormalization", [d.v(s), d.w(s[1]), d.w(s[1])], epsilon=0.01)


# ---- windows
def window(d, nd, dilate=True):
    k = [d.int(1, 3) for _ in range(nd)]
    a = dict(strides=[d.int(1, 2) for _ in range(nd)])
    if dilate:
        a["dilations"] = [d.int(1, 2) for _ in range(nd)]
    how = d.int(0, 3)
    if how == 0:
        a["auto_pad"] = d.pick("SAME_UPPER", "SAME_LOWER", "VALID")
        a.pop("dilations", None)
    elif how > 1:
        a["pads"] = [d.int(0, k[i % nd] - 1) for i in range(2 * nd)]
    return k, a


@case("Conv")
def _(d):
    nd, g = d.int(1, 2), d.int(1, 3)
    k, a = window(d, nd)
    ci, co = g * d.int(1, 4), g * d.pick(1, 3, 8, 17)
    x = d.v([d.pick(1, 1, 2), ci] + [d.int(6, 12) for _ in range(nd)])
    ins = [x, d.w(co, ci // g, *k)] + ([d.w(co)] if d.int(0, 1) else [])
    return d.node("Conv", ins, group=g, kernel_shape=d.pick(k, None) if "auto_pad" not in a else k, **a)


for op in "MaxPool AveragePool".split():
    def f(d, op=op):
        nd = d.int(1, 2)
        k, a = window(d, nd, op == "MaxPool" or d.opset >= 19)
        if op == "AveragePool":
            a["count_include_pad"] = d.pick(0, 1)
        if "auto_pad" not in a:
            a["ceil_mode"] = d.pick(0, 1)
        return d.node(op, [d.v([d.pick(1, 2), d.int(1, 3)] + [d.int(6, 12) for _ in range(nd)])],
                      kernel_shape=k, **a)
    CASES[op] = (11, f)
for op in "GlobalAveragePool GlobalMaxPool".split():
    CASES[op] = (11, lambda d, op=op: d.node(op, [d.v([1, d.int(1, 4), d.int(1, 5), d.int(1, 5)])]))


# ---- recurrent cells
def recurrent(d, op, gates, state):
    way = d.pick("forward", "reverse", "bidirectional")
    dirs = 2 if way == "bidirectional" else 1
    length, rows, n, h = d.int(1, 4), d.pick(1, 1, 2), d.int(1, 9), d.int(1, 9)
    ins = [d.v([length, rows, n]), d.w(dirs, gates * h, n), d.w(dirs, gates * h, h),
           d.w(dirs, 2 * gates * h) if d.int(0, 1) else None, None]
    ins += [d.v([dirs, rows, h]) if d.int(0, 1) else None for _ in range(state)]
    while not ins[-1]:
        ins.pop()
    a = {}
    if op == "GRU":
        a["linear_before_reset"] = d.pick(0, 1)
    if d.int(0, 2) == 0:
        n = {"LSTM": 3, "GRU": 2, "RNN": 1}[op]
        # gates stay bounded: others let the state grow until no two programs agree
        a["activations"] = [d.pick("Sigmoid", "HardSigmoid") if n > 1 and i % n == 0 else
                            d.pick("Sigmoid", "Tanh", "Relu", "HardSigmoid", "Softsign")
                            for i in range(n * dirs)]
    if d.int(0, 3) == 0:
        a["clip"] = 0.7
    return d.node(op, ins, state + 1, hidden_size=h, direction=way, **a)


CASES["LSTM"] = (11, lambda d: recurrent(d, "LSTM", 4, 2))
CASES["GRU"] = (11, lambda d: recurrent(d, "GRU", 3, 1))
CASES["RNN"] = (11, lambda d: recurrent(d, "RNN", 1, 1))


# ---- moves
@case("Transpose")
def _(d):
    s = d.shape()
    return d.node("Transpose", [d.v(s)], perm=d.pick(None, d.rng.permutation(len(s)).tolist()))


@case("Slice")
def _(d):
    s = d.shape(1, 4, 7)
    axes = d.rng.choice(len(s), d.int(1, len(s)), replace=False).tolist()
    lo, hi, step = [], [], []
    for a in axes:
        st = d.pick(1, 1, 2, -1, -2)
        u, v = sorted([d.int(0, s[a] - 1), d.int(0, s[a] - 1)])
        if st > 0:
            lo.append(d.pick(u, u - s[a])), hi.append(d.pick(v + 1, 2**63 - 1))
        else:
            lo.append(d.pick(v, 2**31 - 1)), hi.append(u - 1 if u else -2**31)
        step.append(st)
    ints = lambda x: d.c(x, np.int64)
    if len(axes) == len(s) and all(x == 1 for x in step) and d.int(0, 1):
        order = np.argsort(axes)
        return d.node("Slice", [d.v(s), ints(np.array(lo)[order]), ints(np.array(hi, object)[order].astype(np.int64))])
    axes = [a - len(s) if d.int(0, 1) else a for a in axes]
    return d.node("Slice", [d.v(s), ints(lo), ints(hi), ints(axes), ints(step)])


@case("Split")
def _(d):
    s = d.shape()
    axis, n = d.int(0, len(s) - 1), d.int(1, 3)
    parts = [d.int(1, 4) for _ in range(n)]
    if d.int(0, 1):
        s[axis] = sum(parts)
        if d.opset < 13:
            return d.node("Split", [d.v(s)], n, axis=axis, split=parts)
        return d.node("Split", [d.v(s), d.c(parts, np.int64)], n, axis=axis)
    s[axis] = n * d.int(1, 3)
    return d.node("Split", [d.v(s)], n, axis=axis, num_outputs=n if d.opset >= 18 else None)


@case("Concat")
def _(d):
    s = d.shape()
    axis = d.int(0, len(s) - 1)
    parts = []
    for i in range(d.int(1, 4)):
        t = list(s)
        t[axis] = d.int(1, 4)
        parts.append(d.v(t) if i == 0 or d.int(0, 1) else d.w(*t))
    return d.node("Concat", parts, axis=axis - len(s) if d.int(0, 1) else axis)


@case("Expand")
def _(d):
    a, b = broadcast(d)
    return d.node("Expand", [d.v(b), d.c(a, np.int64)])


@case("Tile")
def _(d):
    s = d.shape(1, 3)
    return d.node("Tile", [d.v(s), d.c([d.int(1, 3) for _ in s], np.int64)])


@case("Gather")
def _(d):
    s = d.shape()
    axis = d.int(0, len(s) - 1)
    n = s[axis]
    t = d.shape(0, 2, 3)
    if d.int(0, 1):
        which = d.c(d.rng.integers(-n, n, t), np.int64)
    else:
        which = d.v(t, lambda: d.rng.integers(-n, n, int(np.prod(t))), np.int64)
    return d.node("Gather", [d.v(s), which], axis=axis - len(s) if d.int(0, 1) else axis)


@case("GatherElements")
def _(d):
    s = d.shape()
    axis = d.int(0, len(s) - 1)
    t, n = [d.int(1, x) for x in s], s[axis]
    return d.node("GatherElements", [d.v(s), d.v(t, lambda: d.rng.integers(-n, n, int(np.prod(t))), np.int64)],
                  axis=axis)


@case("Pad")
def _(d):
    s = d.shape(1, 3, 5)
    mode = d.pick("constant", "reflect", "edge")
    most = min(s) - 1 if mode == "reflect" else 3
    pads = d.c([d.int(0, most) for _ in range(2 * len(s))], np.int64)
    return d.node("Pad", [d.v(s), pads] + ([d.c(1.5)] if mode == "constant" and d.int(0, 1) else []), mode=mode)


@case("Trilu", 14)
def _(d):
    s = d.shape(2, 4)
    return d.node("Trilu", [d.v(s)] + ([d.c(d.int(-3, 3), np.int64)] if d.int(0, 1) else []),
                  upper=d.pick(None, 0, 1))


@case("Reshape")
def _(d):
    s = d.shape(2, 4)
    how = d.int(0, 2)
    to = [-1] if how == 0 else [0, -1] if how == 1 else s[::-1]
    x = d.v(s)
    return d.node("Neg", [d.node("Reshape", [x, d.c(to, np.int64)])])


@case("Flatten Squeeze Unsqueeze Identity")
def _(d):
    s = d.shape(2, 3)
    x = d.node("Identity", [d.v(s)])
    if d.opset >= 13:
        u = d.node("Unsqueeze", [x, d.c([0, -1], np.int64)])
        q = d.node("Squeeze", [u] + ([d.c([0], np.int64)] if d.int(0, 1) else []))
    else:
        u = d.node("Unsqueeze", [x], axes=[0, len(s) + 1])
        q = d.node("Squeeze", [u], axes=[0] if d.int(0, 1) else None)
    return [d.node("Flatten", [x], axis=d.int(-len(s), len(s))), d.node("Exp", [q]), q]


@case("shapes computed")
def _(d):
    s = d.shape(2, 3)
    x = d.v(s)
    shape = d.node("Shape", [x])
    n = d.node("ReduceProd", [shape], keepdims=0)
    steps = d.node("Cast", [d.node("Range", [d.c(0, np.int64), n, d.c(1, np.int64)])], to=T.FLOAT)
    ones = d.node("ConstantOfShape", [shape], value=helper.make_tensor("v", T.FLOAT, [1], [2.5]))
    size = d.node("Cast", [d.node("Size", [x])], to=T.FLOAT)
    y = d.node("Add", [d.node("Reshape", [steps, shape]), d.node("Mul", [ones, x])])
    return d.node("Div", [y, size])


@case("Dropout Constant")
def _(d):
    x = d.node("Dropout", [d.v(d.shape())])
    c = d.node("Constant", [], value_floats=[float(d.int(1, 3))]) if d.opset >= 12 else \
        d.node("Constant", [], value=helper.make_tensor("c", T.FLOAT, [], [1.25]))
    return d.node("Add", [x, c])


@case("outputs that are inputs, constants and each other")
def _(d):
    x = d.v([1, 4])
    y = d.node("Elu", [x])
    return [d.node("Identity", [x]), y, d.node("Identity", [y]), d.node("Identity", [d.w(3)]),
            d.node("Reshape", [y, d.c([2, 2], np.int64)])]


def run(compare, seed, count, only=None):
    """Every case `count` times; prints the worst of each, returns how many are off."""
    failed, refused = 0, 0
    for name, (since, make) in CASES.items():
        if only and only not in name:
            continue
        worst, at, why = 0.0, None, ""
        for i in range(count):
            rng = np.random.default_rng([seed, i, *name.encode()])
            d = Draw(rng, int(rng.integers(since, 22)))
            m = d.model(make(d))
            draw = lambda p, port: d.samplers[p.name]()
            try:
                off = compare(m.SerializeToString(), draw, keep=i < 2)
            except Exception as e:  # ours refused, or theirs: which is said
                if type(e).__module__.startswith("onnxruntime"):
                    refused += 1
                    continue
                off, why = np.inf, str(e)
            if off > worst or at is None:
                worst, at = off, (d.opset, i, m)
            if off >= 1e-5:
                break
        ok = worst < 1e-5
        failed += not ok
        if not ok:
            nodes = [(n.op_type, helper.printable_node(n)) for n in at[2].graph.node][-3:]
            print(f"FAIL {name}: opset {at[0]}, draw {at[1]} off by {worst:.2g} {why}\n  {nodes}")
    print(f"{len(CASES)} kinds of nets, {count} each; ONNX Runtime itself refused {refused}")
    return failed
