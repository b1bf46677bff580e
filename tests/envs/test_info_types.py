"""The types of a batch's infos do not tell whose episode ended."""

from typing import Any

import numpy as np
import pytest

from dosuite.envs import CausalVectorEnv

CLINIC = "GenotypeClinic-v0"  # its episodes end at different times


def types_of(infos: dict[str, Any]) -> dict[str, Any]:
    return {name: infos[name].dtype for name in ("becomes", "_becomes")}


@pytest.mark.parametrize("mode", ["SAME_STEP", "NEXT_STEP"])
def test_logged_variables_keep_their_types(mode: str) -> None:
    batch = CausalVectorEnv(CLINIC, 20, autoreset_mode=mode)
    types, partly = types_of(batch.reset(seed=0)[1]), False
    for _ in range(25):
        *_, terminated, truncated, infos = batch.step(np.ones(20, dtype=int))
        ended = terminated | truncated
        partly |= bool(ended.any() and not ended.all())
        assert types_of(infos) == types
        assert types_of(infos.get("final_info", infos)) == types
    assert partly
