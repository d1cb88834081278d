# SPDX-License-Identifier: Apache-2.0
"""What a vector environment costs: steps a second of 1,024 Go2 worlds with random actions.
make python && PYTHONPATH=build/gcc/python python3 bench/bench_python.py"""
import sys
import time

import numpy as np
import qiao

worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
rng = np.random.default_rng(1)
for engine in ("mujoco", "lanes32"):
    env = qiao.VectorEnv("go2", num_envs=worlds, engine=engine)
    env.reset(seed=1)
    n, t0 = 0, time.perf_counter()
    while n < 10 or time.perf_counter() - t0 < 4:
        env.step(rng.uniform(-1, 1, (worlds, 12)))
        n += 1
    rate = n * worlds / (time.perf_counter() - t0)
    print(f"{engine:8s} {rate:10,.0f} control steps/s ({rate * 10:,.0f} of physics), {worlds} worlds")
