"""The standard logs of the confounded classics, for learners of other libraries.

    python -m dosuite.eval.claims.standard_logs FOLDER --seed 0 --minari ConfoundedCartPole-v0

writes, for the classics that are named or for all, the log of the behaviour (observe) and of the
experimenter (intervene) to Arrow files, with their latents beside them, and to Minari. It prints
the content hash of each log; equal seeds and versions of the libraries give equal hashes.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gymnasium.spaces import Discrete

from dosuite.agents import make_agent
from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs import CLASSICS, Log, confounded_log, experiment_log, make_classic
from dosuite.envs.settings import unparse

COLLECTORS = {"observe": confounded_log, "intervene": experiment_log}
CLONE = "bc:updates=1000"


def standard_log(classic: str, regime: str, seed: int, strength: float = 1.0) -> Log:
    """The log of a classic in the regime observe or intervene.

    Where `confounded_log` does not know the propensity of Discrete actions, it is estimated: it is
    the probability that a clone of the log, which sees what a learner sees, gives to the action.
    `log.origin["propensity"]` says so. Raises InputError if there is no such classic or regime.
    """
    for name, known in ((classic, CLASSICS), (regime, COLLECTORS)):
        if name not in known:
            raise InputError(f"there is no {name!r}; {did_you_mean(name, known)}")
    log = COLLECTORS[regime](make_classic(classic, strength), CLASSICS[classic].rows, seed)
    origin = {**log.origin, "world": unparse(classic, {"strength": strength}), "regime": regime}
    return with_propensity(replace(log, origin=origin))


def with_propensity(log: Log) -> Log:
    """The log with an estimated propensity, if it is NaN and the actions are Discrete."""
    is_known = not np.isnan(log["propensity"]).any()
    if is_known or not isinstance(log.action_space, Discrete):
        return log
    clone = make_agent(CLONE).learn(log, 0)
    law = clone.probabilities(log["observation"])
    propensity = law[np.arange(len(log)), log["action"]].astype(float)
    origin = {**log.origin, "propensity": f"estimated by {CLONE}, learned from the log"}
    return replace(log, columns={**log.columns, "propensity": propensity}, origin=origin)


def written(folder: Path, classics: list[str], seed: int, minari: bool) -> Iterator[str]:
    """Write the logs, and yield a line about each: its name, rows, hash and propensity."""
    for classic in classics:
        for regime in COLLECTORS:
            log = standard_log(classic, regime, seed)
            name = classic.replace("-v", f"-{regime}-v")
            log.save(folder / f"{name}.arrow")
            if minari:
                from dosuite.envs.logs.minari import to_minari

                to_minari(log, f"dosuite/{name}")
            about = f"propensity {log.origin['propensity']}"
            yield f"{name}: {len(log):,} rows, hash {log.content_hash}, {about}"


def main() -> None:
    """Write the logs that the arguments name."""
    parser = ArgumentParser(description="Write the standard logs of the confounded classics.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("classics", nargs="*", metavar="ID", help="all, if none is named")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minari", action="store_true", help="write them for Minari, too")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    classics = chosen.classics or list(CLASSICS)
    for line in written(chosen.folder, classics, chosen.seed, chosen.minari):
        print(line, flush=True)


if __name__ == "__main__":
    main()
