# SPDX-License-Identifier: Apache-2.0
"""Robots and worlds."""
from types import SimpleNamespace

import numpy as np

from ._lib import QiaoError, check, fault, ffi, lib, new_diag, pointer, text, view

FLAT = """<mujoco><option timestep="0.002"/><worldbody>
<geom name="floor" type="plane" size="100 100 1"/></worldbody></mujoco>"""


class Robot:
    """A robot by name ("go2") or by path of an MJCF, URDF or robot.yaml."""

    def __init__(self, name):
        d = new_diag()
        self._p = ffi.gc(check(lib.qiao_robot_load(str(name).encode(), d), d), lib.qiao_robot_free)
        r, m = self._p, self._p.model
        self.name, self.kind = text(r.name), text(r.kind)
        self.actuators = [text(m.act_name[i]) for i in range(m.nu)]
        self.joints = [text(m.jnt_name[i]) for i in range(m.njnt)]
        self.bodies = [text(m.body_name[i]) for i in range(m.nbody)]
        self.nq, self.nv, self.nu = m.nq, m.nv, m.nu
        self.rest_q = view(r.rest_q, (m.nq,))
        at = [m.jnt_qadr[m.act_joint[i]] if m.act_joint[i] >= 0 else -1 for i in range(m.nu)]
        # [nu] rest position of each drive's joint
        self.rest = np.array([self.rest_q[a] if a >= 0 else 0.0 for a in at])
        self.torque = np.array([r.drive[i].torque_max for i in range(m.nu)])

    def __repr__(self):
        return f"<qiao.Robot {self.name}: {self.nu} actuators>"


def _grant(names):
    """Sensors beyond the robot's own: "base_pose", "base_vel", or ("name", dim) for a command."""
    out = ffi.new("qiao_sensor[]", max(1, len(names)))
    keep = []
    for s, name in zip(out, names):
        if isinstance(name, tuple):
            name, s.dim = name
            s.kind = lib.QIAO_SENSE_COMMAND
        elif name in ("base_pose", "base_vel"):
            s.kind = getattr(lib, "QIAO_SENSE_" + name.upper())
        else:
            raise ValueError(f"no grant {name!r}; there are: base_pose, base_vel, (name, dim)")
        keep.append(ffi.new("char[]", name.encode()))
        s.name = keep[-1]
    return out, keep


class Sim:
    """nworld worlds, each a scene with the robot in it.

    scene    MJCF text, or a list of nworld texts: worlds may differ in numbers and still share
             lanes; None: a flat floor
    engine   "mujoco" (the reference), "lanes" (64 bit), "lanes32"
    nthread  0: as many as the machine has
    period   s between two control steps
    grant    signals that the robot does not carry: "base_pose", "base_vel", ("command", dim)
    place    where the robot stands [3] (added to its rest pose), yaw about the vertical, rad
    solver, iterations  of engine lanes: how hard a step is solved (include/qiao/sim.h)
    better   of engine lanes: "rotation", "elliptic" or both: where to depart from MuJoCo
    """

    def __init__(self, robot, scene=None, nworld=1, engine="lanes", nthread=0, period=0.02,
                 grant=("base_pose", "base_vel"), place=(0, 0, 0), yaw=0.0, solver=None, iterations=0,
                 better=None):
        self.robot = robot if isinstance(robot, Robot) else Robot(robot)
        r, d = self.robot._p, new_diag()
        scenes = [scene or FLAT] if scene is None or isinstance(scene, str) else list(scene)
        if len(scenes) not in (1, nworld):
            raise ValueError(f"{len(scenes)} scenes for {nworld} worlds")
        pos = [float(x) for x in place]
        self._models = [ffi.gc(check(lib.qiao_model_world(r, s.encode(), pos, yaw, d), d),
                               lib.qiao_model_free) for s in scenes]
        worlds = [self._models[i % len(scenes)] for i in range(nworld)]
        self._keep = ffi.new("qiao_model *[]", worlds)
        f = ffi.new("qiao_sim_def *", lib.qiao_sim_def_default())
        self._text = [ffi.new("char[]", x.encode()) for x in (engine, solver or "", better or "")]
        f.engine, f.nworld, f.nthread, f.robot = self._text[0], nworld, nthread, r
        f.world, f.period, f.iterations = self._keep, period, iterations
        f.solver = self._text[1] if solver else ffi.NULL
        f.better = self._text[2] if better else ffi.NULL
        self._grants = _grant(list(grant))  # a structure's field does not keep what it points to
        f.grant = self._grants[0]
        f.ngrant = len(list(grant))
        self._def = f
        self._p = ffi.gc(check(lib.qiao_sim_new(f, d), d), lib.qiao_sim_free)
        self.nworld, self.engine = nworld, engine
        self.dt = self._models[0].dt
        self._nstep = round(period / self.dt)
        self._signals()
        nu = self.robot.nu
        self.cmd = SimpleNamespace(**{k: np.zeros((nworld, nu)) for k in ("q", "qd", "tau")},
                                   kp=np.full((nworld, nu), -1.0), kd=np.full((nworld, nu), -1.0))
        self.cmd.q[:] = self.robot.rest

    def _signals(self):
        io, o = lib.qiao_sim_io(self._p), lib.qiao_sim_obs(self._p)
        self.signals, self.obs, self.stamp_ns = {}, {}, {}
        x = view(o.x, (self.nworld, io.nobs))
        stamp = view(o.stamp_ns, (self.nworld, io.nsig), np.int64)
        self.t_ns = view(o.t_ns, (self.nworld,), np.int64)
        for i in range(io.nsig):
            s = io.sig[i]
            names = [text(s.element[k]) for k in range(s.nname)] if s.element else []
            name = text(s.name)
            self.signals[name] = SimpleNamespace(index=i, dim=s.dim, unit=text(s.unit),
                                                 frame=text(s.frame), elements=names)
            self.obs[name] = x[:, s.adr:s.adr + s.dim]  # [nworld, dim] views
            self.stamp_ns[name] = stamp[:, i]
        self.obs_all = x

    def _world(self, w):
        if not 0 <= w < self.nworld:
            raise IndexError(f"world {w} of {self.nworld}")
        return w

    def reset(self, worlds=None, seed=0, trial=None):
        """These worlds (None: all) back to the start; the others run on. trial [len(worlds)] or
        None: the world's number. seed and trial key every random number of a world."""
        worlds = range(self.nworld) if worlds is None else worlds
        for k, w in enumerate(worlds):
            lib.qiao_sim_reset(self._p, self._world(int(w)), seed,
                               int(trial[k]) if trial is not None else int(w))

    def set(self, world, q, qd=None):
        """Writes the state of one world: q [nq], qd [nv] or None for zero."""
        m = self._models[0]
        a = np.ascontiguousarray(q, np.float64)
        b = None if qd is None else np.ascontiguousarray(qd, np.float64)
        if a.shape != (m.nq,) or (b is not None and b.shape != (m.nv,)):
            raise ValueError(f"q should have {m.nq} numbers, qd {m.nv}")
        e = lib.qiao_sim_set(self._p, self._world(world), pointer(a),
                             ffi.NULL if b is None else pointer(b))
        if e:
            raise fault(e)

    def observe(self):
        """Samples every sensor; the arrays of self.obs now hold it."""
        lib.qiao_sim_observe(self._p)
        return self.obs

    def step(self, nstep=None):
        """Latches self.cmd and goes one period, or nstep physics steps, on."""
        c = ffi.new("qiao_cmd *")
        c.n, c.nu = self.nworld, self.robot.nu
        for k in ("q", "qd", "kp", "kd", "tau"):
            a = getattr(self.cmd, k)
            if a.shape != (self.nworld, self.robot.nu):
                raise ValueError(f"cmd.{k} has shape {a.shape}, should be "
                                 f"{(self.nworld, self.robot.nu)}")
            setattr(c, k, pointer(a))
        lib.qiao_sim_command(self._p, c)
        lib.qiao_sim_step(self._p, self._nstep if nstep is None else int(nstep))

    def signal(self, name, values, worlds=None):
        """Value of a granted command in these worlds (None: all): values [len(worlds), dim]."""
        s, x = self.signals[name], np.ascontiguousarray(values, np.float64)
        worlds = range(self.nworld) if worlds is None else worlds
        if x.shape != (len(worlds), s.dim):
            raise ValueError(f"{name} has shape {x.shape}, should be {(len(worlds), s.dim)}")
        base = pointer(x)
        for k, w in enumerate(worlds):
            lib.qiao_sim_signal(self._p, self._world(int(w)), s.index, base + k * s.dim)

    def push(self, world, body, force, torque=(0, 0, 0)):
        """Force and torque at a body's centre of mass, world frame, until changed."""
        b = lib.qiao_model_body(self._models[world % len(self._models)], body.encode())
        if b < 0:
            raise QiaoError("E_NAME", f"no body {body!r}")
        lib.qiao_sim_push(self._p, self._world(world), b, list(map(float, force)),
                          list(map(float, torque)))

    def vary(self, world, **numbers):
        """Gives one world numbers of its own from now on: friction, mass, payload, com, damping,
        armature, frictionloss, kp, kd, torque, delay, gravity, things (qiao_vary in qiao/sim.h). What is
        not named is the model's."""
        v, d = ffi.new("qiao_vary *", lib.qiao_vary_default()), new_diag()
        for name, x in numbers.items():
            if not hasattr(v, name):
                raise QiaoError("E_NAME", f"no number {name!r}; there are: {', '.join(dir(v))}")
            setattr(v, name, [float(k) for k in x] if name in ("com", "gravity") else float(x))
        if lib.qiao_sim_vary(self._p, self._world(world), v, d):
            raise fault(d.err, text(d.text))

    def status(self, world):
        """"OK", or why the world stopped: "E_NAN", "E_LIMIT"."""
        return text(lib.qiao_err_name(lib.qiao_sim_status(self._p, self._world(world))))

    def sensordata(self, world):
        """What the <sensor> section of the world's own MJCF says, without noise; MuJoCo's order."""
        n = lib.qiao_sim_sensordata(self._p, self._world(world), ffi.NULL, 0)
        x = np.zeros(max(n, 0))
        if n > 0:
            n = lib.qiao_sim_sensordata(self._p, world, pointer(x), n)
        if n < 0:
            raise fault(n)
        return x

    def stopped(self):
        """[nworld] which worlds do not move any more; status says why."""
        status, p = lib.qiao_sim_status, self._p
        return np.fromiter((status(p, w) != 0 for w in range(self.nworld)), bool, self.nworld)

    def truth(self, world):
        """State of one world as views that move on with it; not for a brain."""
        t = ffi.new("qiao_truth *")
        lib.qiao_sim_truth(self._p, self._world(world), t)
        m = t.model
        return SimpleNamespace(
            t=t.t_ns * 1e-9, q=view(t.q, (m.nq,)), qd=view(t.qd, (m.nv,)),
            body_pos=view(t.body_pos, (m.nbody, 3)), body_quat=view(t.body_quat, (m.nbody, 4)),
            body_vel=view(t.body_vel, (m.nbody, 6)), tau=view(t.tau, (self.robot.nu,)),
            energy=t.energy, bodies=[text(m.body_name[i]) for i in range(m.nbody)],
            contacts=[SimpleNamespace(body=tuple(c.body), pos=tuple(c.pos_w),
                                      force=tuple(c.force_w))
                      for c in (t.contact[i] for i in range(t.ncontact))])
