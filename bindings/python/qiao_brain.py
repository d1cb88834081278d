# SPDX-License-Identifier: Apache-2.0
"""A brain for Qiao in Python: subclass Brain, then run(YourBrain). Protocol: docs/brain.md."""
import json
import os
import socket
import struct
from array import array


class Brain:
    name, version, rate_hz, need = "python", "1", 50.0, ()

    def bind(self, body):
        """body: the dict of docs/brain.md; body["actuators"][i]["name"] and so on."""

    def reset(self, world, seed):
        """A trial begins in this world."""

    def step(self, world, t, obs, stamp):
        """obs, stamp: signal -> its floats, when it was sampled (s, < 0: never). Returns a dict
        with any of q (else rest), qd, tau (0), kp, kd (-1: the drive's), a float per actuator."""


def _step(brain, body, data):
    n, nobs, nsig, nu = struct.unpack_from("<4I", data)
    at = 16 + 8 * n * (1 + nsig)
    ints, x = array("q", data[16:at]), array("d", data[at:at + 8 * n * nobs])
    live, out = data[at + 8 * n * nobs:], {k: array("d") for k in ("q", "qd", "kp", "kd", "tau")}
    none = {"q": [a["rest"] for a in body["actuators"]], "qd": [0.0] * nu, "kp": [-1.0] * nu,
            "kd": [-1.0] * nu, "tau": [0.0] * nu}
    for w in range(n):
        row, obs, when = x[w * nobs:(w + 1) * nobs], {}, {}
        for i, s in enumerate(body["signals"]):
            obs[s["name"]] = row[s["adr"]:s["adr"] + s["dim"]].tolist()
            when[s["name"]] = 1e-9 * ints[n + w * nsig + i]
        cmd = {**none, **((brain.step(w, ints[w] * 1e-9, obs, when) or {}) if live[w] else {})}
        for k, values in out.items():
            assert len(cmd[k]) == nu, f"step returned {len(cmd[k])} numbers in {k!r}, not {nu}"
            values.extend(cmd[k])
    return b"".join(values.tobytes() for values in out.values())


def run(brain_class):
    brain, body = brain_class(), None
    fd = os.environ.get("QIAO_BRAIN_FD") or exit("start it by: qiao run ... --brain FILE.py")
    pipe = socket.socket(fileno=int(fd)).makefile("rwb")
    while len(head := pipe.read(16)) == 16 and head[4] != 5:  # 5: bye
        _, kind, size, seq = struct.unpack("<4I", head)
        data, answer, out = pipe.read(size), 6, b""  # 6: ready
        if kind == 1:
            answer, out = 1, struct.pack("<IId", 1, len(brain.need), brain.rate_hz)
            out += b"".join(s.encode() + b"\0" for s in (brain.name, brain.version, *brain.need))
        elif kind == 2:
            brain.bind(body := json.loads(data))
        elif kind == 3:
            brain.reset(*struct.unpack("<I4xQ", data))
        elif kind == 4:
            answer, out = 7, _step(brain, body, data)
        pipe.write(struct.pack("<4sIII", b"QBR1", answer, len(out), seq) + out)
        pipe.flush()
