# SPDX-License-Identifier: Apache-2.0
"""Gymnasium vector environment: all worlds of a Sim, one action array, one step."""
import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from .sim import Sim


class Walk:
    """Follow velocity commands over flat ground: vx, vy (m/s, base frame), yaw rate (rad/s)."""

    command = ("command_velocity", 3)
    low, high = np.array([-0.5, -0.3, -0.8]), np.array([1.0, 0.3, 0.8])
    signals = ("imu_quat", "imu_gyro", "joint_pos", "joint_vel", "command_velocity")

    def draw(self, rng, n):
        return rng.uniform(self.low, self.high, (n, 3))

    def reward(self, sim, action, last, command):
        v, w = sim.obs["base_vel"], sim.obs["imu_gyro"]
        slip = np.square(v[:, :2] - command[:, :2]).sum(1)
        turn = np.square(w[:, 2] - command[:, 2])
        rough = np.square(action - last).sum(1)
        return np.exp(-4 * slip) + 0.5 * np.exp(-4 * turn) - 0.01 * rough

    def fallen(self, sim):
        w, x, y, z = sim.obs["imu_quat"].T
        return (1 - 2 * (x * x + y * y) < 0.5) | (sim.obs["base_pose"][:, 2] < 0.12)


class VectorEnv(gym.vector.VectorEnv):
    """task: an object as Walk: command, signals, draw, reward, fallen. An action of 1 moves a
    joint's target by action_scale (rad or m) from its rest. A world that ended starts again at the
    next step (AutoresetMode.NEXT_STEP); that step's reward is 0."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": []}

    def __init__(self, robot="go2", num_envs=1024, task=None, engine="lanes32", seconds=20.0,
                 action_scale=0.3, period=0.02, iterations=3, **sim):
        self.task = task or Walk()
        if engine == "mujoco":
            iterations = 0
        self.sim = Sim(robot, nworld=num_envs, engine=engine, period=period,
                       grant=("base_pose", "base_vel", self.task.command), iterations=iterations,
                       **sim)
        self.num_envs, self._scale = num_envs, action_scale
        self._limit = round(seconds / period)
        self._part = [self.sim.obs[name] for name in self.task.signals]
        nu, nobs = self.sim.robot.nu, sum(p.shape[1] for p in self._part)
        box = gym.spaces.Box
        self.single_observation_space = box(-np.inf, np.inf, (nobs,), np.float32)
        self.single_action_space = box(-1, 1, (nu,), np.float32)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space,
                                                              num_envs)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, num_envs)
        self._last = np.zeros((num_envs, nu))
        self._command = np.zeros((num_envs, self.task.command[1]))
        self._age, self._over = np.zeros(num_envs, int), np.zeros(num_envs, bool)
        self._runs = np.zeros(num_envs, int)
        self._seed = 0

    def _begin(self, worlds):
        self._runs[worlds] += 1
        self.sim.reset(worlds, seed=self._seed, trial=self._runs[worlds] * self.num_envs + worlds)
        self._age[worlds], self._last[worlds] = 0, 0
        self._command[worlds] = self.task.draw(self.np_random, len(worlds))
        self.sim.signal(self.task.command[0], self._command[worlds], worlds)

    def _observe(self):
        self.sim.observe()
        return np.concatenate(self._part, axis=1, dtype=np.float32, casting="same_kind")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self._seed = seed
        self._runs[:], self._over[:] = 0, False
        self._begin(np.arange(self.num_envs))
        return self._observe(), {}

    def step(self, actions):
        again = np.flatnonzero(self._over)
        a = np.clip(np.asarray(actions, np.float64), -1, 1)
        self.sim.cmd.q[:] = self.sim.robot.rest + self._scale * a
        self.sim.step()
        self._age += 1
        if len(again):
            self._begin(again)
        obs = self._observe()
        bad = ~np.isfinite(obs).all(1) | self.sim.stopped()
        fallen = self.task.fallen(self.sim) | bad
        late = self._age >= self._limit
        reward = np.where(bad, 0.0, self.task.reward(self.sim, a, self._last, self._command))
        reward[again], fallen[again], late[again] = 0.0, False, False
        self._last[:] = a
        self._last[again] = 0
        self._over = fallen | late
        return np.nan_to_num(obs), reward, fallen, late & ~fallen, {}
