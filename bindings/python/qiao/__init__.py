# SPDX-License-Identifier: Apache-2.0
"""Qiao in Python: robots, worlds by the thousand, trials. Arrays are views on Qiao's own memory.

    import qiao
    sim = qiao.Sim("go2", nworld=1024, engine="lanes32")
    sim.reset(seed=1)
    obs = sim.observe()                 # {"joint_pos": array [1024, 12], ...}
    sim.cmd.q[:] = sim.robot.rest       # targets of the drives
    sim.step()                          # one control period
"""
from ._lib import QiaoError
from .sim import Robot, Sim
from .trials import run

__all__ = ["QiaoError", "Robot", "Sim", "run", "VectorEnv"]


def __getattr__(name):  # gymnasium is needed for this alone
    if name == "VectorEnv":
        from .env import VectorEnv
        return VectorEnv
    raise AttributeError(name)
