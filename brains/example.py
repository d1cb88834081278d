#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A brain in Python: stands at the rest pose and sways. Run: qiao run ... --brain example"""
import math

from qiao_brain import Brain, run


class Sway(Brain):
    name, rate_hz, need = "example", 50.0, ("joint_pos",)

    def bind(self, body):
        self.rest = [a["rest"] for a in body["actuators"]]

    def step(self, world, t, obs, stamp):
        sway = 0.05 * math.sin(2 * math.pi * 0.5 * t)
        return {"q": [q + sway for q in self.rest]}


run(Sway)
