# SPDX-License-Identifier: Apache-2.0
"""The Python package as its users meet it: views, worlds, trials, the vector environment."""
import pathlib
import sys
import unittest

import numpy as np

import qiao


class Views(unittest.TestCase):
    def test_observations_are_views_on_the_sims_memory(self):
        sim = qiao.Sim("go2", nworld=5, engine="lanes")
        sim.reset(seed=1)
        q = sim.observe()["joint_pos"]
        self.assertEqual(q.shape, (5, 12))
        self.assertFalse(q.flags.owndata or q.flags.writeable)
        before, address = q.copy(), q.ctypes.data
        sim.cmd.q += 0.1
        for _ in range(5):
            sim.step()
        again = sim.observe()["joint_pos"]
        self.assertEqual(again.ctypes.data, address)
        self.assertTrue(np.shares_memory(again, q))
        self.assertGreater(np.abs(q - before).max(), 0.01)
        self.assertTrue(np.array_equal(sim.t_ns, np.full(5, 100_000_000)))

    def test_everything_has_a_name(self):
        sim = qiao.Sim("go2", nworld=1)
        self.assertEqual(len(sim.robot.actuators), 12)
        self.assertEqual(sim.signals["joint_pos"].unit, "rad")
        self.assertEqual(len(sim.signals["joint_pos"].elements), 12)
        self.assertEqual(sim.obs["base_vel"].shape, (1, 3))

    def test_faults_say_what_is_wrong(self):
        with self.assertRaises(qiao.QiaoError) as e:
            qiao.Robot("go22")
        self.assertIn("go2", str(e.exception))
        with self.assertRaises(qiao.QiaoError) as e:
            qiao.Sim("go2", engine="lane")
        self.assertEqual(e.exception.code, "E_NAME")
        sim = qiao.Sim("go2")
        sim.cmd.q = np.zeros((1, 11))
        with self.assertRaises(ValueError):
            sim.step()
        with self.assertRaises(IndexError):
            sim.status(1)
        with self.assertRaises(qiao.QiaoError):
            sim.set(0, np.full(19, np.nan))


class Worlds(unittest.TestCase):
    def test_one_world_starts_again_while_others_run(self):
        sim = qiao.Sim("go2", nworld=3, engine="lanes")
        sim.reset(seed=2)
        for _ in range(10):
            sim.step()
        kept = sim.observe()["joint_pos"][[0, 2]].copy()
        sim.reset([1], seed=2)
        sim.observe()
        self.assertEqual(list(sim.t_ns), [200_000_000, 0, 200_000_000])
        self.assertTrue(np.array_equal(sim.obs["joint_pos"][[0, 2]], kept))

    def test_the_same_bits_on_any_number_of_threads(self):
        ends = []
        for threads in (1, 2):
            sim = qiao.Sim("go2", nworld=6, engine="lanes", nthread=threads)
            sim.reset(seed=3)
            for k in range(15):
                sim.cmd.q[:] = sim.robot.rest + 0.2 * np.sin(k + np.arange(6))[:, None]
                sim.step()
            ends.append(sim.observe()["base_pose"].tobytes())
        self.assertEqual(ends[0], ends[1])

    def test_worlds_may_differ(self):
        scene = """<mujoco><option timestep="0.002" gravity="0 0 {}"/><worldbody>
          <geom type="plane" size="9 9 1"/></worldbody></mujoco>"""
        sim = qiao.Sim("go2", scene=[scene.format(g) for g in (-9.81, -1.62)], nworld=2,
                       place=(0, 0, 1))
        sim.reset()
        sim.step(100)
        z = [sim.truth(w).q[2] for w in (0, 1)]
        up = 1 + sim.robot.rest_q[2]
        self.assertAlmostEqual(z[0], up - 0.5 * 9.81 * 0.04, delta=2e-3)
        self.assertAlmostEqual(z[1], up - 0.5 * 1.62 * 0.04, delta=2e-3)

    def test_a_world_may_have_numbers_of_its_own(self):
        sim = qiao.Sim("go2", nworld=2, place=(0, 0, 1))
        sim.reset()
        sim.vary(1, gravity=(0, 0, 9.81), mass=1.2)
        sim.step(50)
        z = [sim.truth(w).q[2] for w in (0, 1)]
        self.assertAlmostEqual(z[1] - z[0], 0.5 * 9.81 * 0.01, delta=2e-3)
        with self.assertRaises(qiao.QiaoError) as e:
            sim.vary(0, weight=2)
        self.assertIn("mass", str(e.exception))
        with self.assertRaises(qiao.QiaoError):
            sim.vary(0, mass=-1)

    def test_sensors_of_the_mjcf_can_be_read(self):
        scene = """<mujoco><worldbody><geom type="plane" size="9 9 1"/><body name="b" pos="2 0 1">
          <freejoint/><geom size=".1"/></body></worldbody><sensor><framepos objtype="body"
          objname="b"/></sensor></mujoco>"""
        sim = qiao.Sim("go2", scene=scene)
        sim.reset()
        self.assertTrue(np.allclose(sim.sensordata(0)[-3:], (2, 0, 1)))

    def test_a_push_pushes(self):
        sim = qiao.Sim("go2", nworld=2)
        sim.reset()
        sim.push(1, "base", (0, 80, 0))
        for _ in range(10):
            sim.step()
        y = [sim.truth(w).q[1] for w in (0, 1)]
        self.assertGreater(y[1], y[0] + 0.01)
        self.assertTrue(sim.truth(0).contacts)


class Trials(unittest.TestCase):
    def test_run_scores_like_the_program(self):
        a, b = qiao.run("stand_push", "go2", "hold", seeds=(1, 2), threads=1)
        self.assertEqual((a["seed"], b["seed"]), (1, 2))
        self.assertGreater(a["time"], 0)
        self.assertNotEqual(a["trace"], b["trace"])
        again = qiao.run("stand_push", "go2", "hold", seeds=(1,))[0]
        self.assertEqual(again["trace"], a["trace"])

    def test_progress_may_end_it(self):
        calls = []
        rows = None
        try:
            rows = qiao.run("stand_push", "go2", "hold", progress=lambda *a: calls.append(a) or False)
        except qiao.QiaoError:
            pass
        self.assertEqual(len(calls), 1)
        self.assertTrue(rows is None or not rows[0]["passed"])

    def test_a_fault_in_progress_comes_back(self):
        def fault(*_):
            raise KeyError("mine")
        with self.assertRaises(KeyError):
            qiao.run("stand_push", "go2", "hold", progress=fault)


class Environment(unittest.TestCase):
    def setUp(self):
        try:
            import gymnasium  # noqa: F401
        except ImportError:
            self.skipTest("no gymnasium")

    def test_it_keeps_gymnasiums_contract(self):
        env = qiao.VectorEnv("go2", num_envs=4, seconds=0.2, engine="lanes32")
        obs, _ = env.reset(seed=1)
        self.assertEqual(obs.dtype, np.float32)
        self.assertTrue(env.observation_space.contains(obs))
        env.action_space.seed(1)
        ended = np.zeros(4, bool)
        for k in range(12):
            obs, reward, fallen, late, _ = env.step(env.action_space.sample())
            self.assertTrue(env.observation_space.contains(obs))
            self.assertEqual(reward.shape, (4,))
            self.assertTrue(np.isfinite(reward).all())
            if ended.any():  # the step after the end resets: no reward
                self.assertTrue((reward[ended] == 0).all())
                self.assertFalse((fallen | late)[ended].any())
            ended = fallen | late
            if k == 9:
                self.assertTrue(ended.all())

    def test_the_same_seed_gives_the_same_rewards(self):
        sums = []
        for _ in range(2):
            env = qiao.VectorEnv("go2", num_envs=3)
            env.reset(seed=5)
            rng, total = np.random.default_rng(1), 0.0
            for _ in range(20):
                total += env.step(rng.uniform(-1, 1, (3, 12)))[1].sum()
            sums.append(total)
        self.assertEqual(sums[0], sums[1])


if __name__ == "__main__":
    home = pathlib.Path(qiao.__file__).parent
    result = unittest.main(exit=False, argv=sys.argv[:1]).result
    print(f"{home}: {result.testsRun} run, {len(result.skipped)} skipped")
    sys.exit(not result.wasSuccessful())
