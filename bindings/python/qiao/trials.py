# SPDX-License-Identifier: Apache-2.0
"""Trials: a brain in a robot in a scenario, scored."""
import math

from ._lib import check, fault, ffi, here, lib, new_diag, text
from .sim import Robot


def _score(s):
    rows = [s.measure[i] for i in range(s.nmeasure)]
    return {
        "passed": s.verdict == lib.QIAO_PASSED, "total": s.total, "completion": s.completion,
        "time": s.time, "reason": text(s.reason),
        "measures": {text(m.name): {"value": m.value, "unit": text(m.unit), "broken": bool(m.broken),
                                    "limit": None if math.isnan(m.limit) else m.limit}
                     for m in rows}}


def run(scenario, robot, brain, seeds=(1,), engine="mujoco", threads=0, trial=0, progress=None,
        trust=None):
    """One trial for each seed; a list of scores, each with seed, hash of the trace and the case.

    progress(t, t_limit, live) is called now and then; False ends all trials, as Ctrl-C does.
    trust: run the brain's plug-in in this process; None: those that came with Qiao. Others run in a
    process of their own, which the program qiao hosts (QIAO_HOST names it)."""
    d = new_diag()
    r = robot if isinstance(robot, Robot) else Robot(robot)
    s = ffi.gc(check(lib.qiao_scenario_load(str(scenario).encode(), d), d), lib.qiao_scenario_free)
    seeds = list(seeds)
    rows = ffi.new("qiao_trial[]", [{"seed": k, "trial": trial} for k in seeds])
    f = ffi.new("qiao_trials_def *", lib.qiao_trials_def_default())
    keep = [ffi.new("char[]", str(x).encode()) for x in (brain, engine, r.name)]
    f.scenario, f.robot, f.brain.spec, f.engine, f.robot_name = s, r._p, keep[0], keep[1], keep[2]
    f.brain.trust = (here / "data/brains" / f"{brain}.so").is_file() if trust is None else trust
    f.nthread, f.ntrial, f.trial = threads, len(seeds), rows
    stop = []

    def tick(_, t, limit, live):
        if not stop and progress and progress(t, limit, live) is False:
            stop.append(None)
        return not stop

    def raised(kind, value, trace):
        stop.append(value)
        return False

    call = ffi.callback("bool(void *, double, double, int)", tick, error=False, onerror=raised)
    f.progress = call
    out = ffi.new("qiao_result[]", len(seeds))
    e = lib.qiao_trials_run(f, out, d)
    try:
        if stop and stop[0] is not None:
            raise stop[0]
        if e:
            raise fault(e, text(d.text))
        return [dict(_score(o.score), seed=k, trace=bytes(o.trace).hex(), case=text(o.case_text))
                for o, k in zip(out, seeds)]
    finally:
        lib.qiao_results_free(out, len(seeds))
