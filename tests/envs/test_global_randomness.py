"""Logs neither depend on the global random state nor change it."""

import random

import numpy as np

from dosuite.envs import collect, make_model


def test_a_log_has_nothing_to_do_with_the_global_random_state() -> None:
    model, hashes = make_model("ConfoundedRiver-v0"), set()
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
        log = collect(model, 40, 0, "mixed")
        log.view(0)
        hashes.add(log.content_hash)
        assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002
    assert len(hashes) == 1
