"""`python -m dosuite.agents.amortised`: train the networks of `amortised`, and evaluate them."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

from .evaluation import Line, evaluated, pooled
from .network import load, save
from .prior import TARGETS, pools
from .training import train

HERE = Path(__file__).parent
EVERY = 500  # steps between two lines of progress


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = ArgumentParser("python -m dosuite.agents.amortised", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="write FOLDER/TARGET.npz for each target")
    training.add_argument("--steps", type=int, default=4000, help="minibatches for each target")
    training.add_argument("--worlds", type=int, default=5000, help="of each of the seven graphs")
    training.add_argument("--seed", type=int, default=0)
    judging = commands.add_parser("evaluate", help="print errors in unseen worlds and their twins")
    judging.add_argument("--worlds", type=int, default=286, help="of each of the seven graphs")
    judging.add_argument("--rows", type=int, default=1000, help="of each log")
    judging.add_argument("--prior", type=int, default=200_000, help="worlds of a posterior mean")
    for command in (training, judging):
        command.add_argument("--targets", nargs="+", choices=TARGETS, default=TARGETS)
        command.add_argument("--folder", type=Path, default=HERE, help="of the weights")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.command == "train":
        _train(options.targets, options.steps, options.worlds, options.seed, options.folder)
    else:
        _evaluate(options.targets, options.worlds, options.rows, options.prior, options.folder)


def _train(targets: Sequence[str], steps: int, worlds: int, seed: int, out: Path) -> None:
    start, busy = perf_counter(), process_time()

    def so_far() -> str:
        return f"{process_time() - busy:,.0f} s of one core, {perf_counter() - start:,.0f} s in all"

    population = pools(np.random.default_rng([seed, 0]), worlds)
    print(f"{worlds:,} worlds of each graph: {so_far()}", flush=True)
    for target in targets:
        recent: list[float] = []

        def announce(step: int, loss: float, recent: list[float] = recent) -> None:
            recent.append(loss)
            if (step + 1) % EVERY == 0:
                error = np.sqrt(np.mean(recent[-EVERY:]))
                print(f"  step {step + 1:,}: error {error:.4f}; {so_far()}", flush=True)

        print(target)
        network, _ = train(population, target, steps, seed, announce)
        save(network, out / f"{target}.npz")


def _evaluate(targets: Sequence[str], count: int, rows: int, prior: int, folder: Path) -> None:
    networks = {target: load(folder / f"{target}.npz") for target in targets}
    print(f"{count} worlds of each graph, logs of {rows:,} rows, and twins with the same logs")
    print("error: root mean square against E(y | do(x), c); right: how often the action is best")
    print(f"{'graph':<12}{'answers':<40}{'error':>7}{'twins':>7}{'right':>7}{'twins':>7}")
    lines = []
    for line in evaluated(networks, count, rows, prior):
        lines.append(line)
        _print(line)
    for line in pooled(lines):
        _print(line)


def _print(line: Line) -> None:
    numbers = ("" if np.isnan(number) else f"{number:.3f}" for number in line[2:])
    cells = "".join(f"{number:>7}" for number in numbers)
    print(f"{line.graph:<12}{line.answers:<40}{cells}", flush=True)


if __name__ == "__main__":
    main()
