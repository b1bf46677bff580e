"""How well the networks answer in worlds they have not seen, and in the twins of these."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dosuite.causal.arrays import Floats
from dosuite.envs import Data, Population, world_id
from dosuite.envs.worlds.random_scm import TEMPLATES, RandomSCM

from ..tabular.counting import process_of
from .network import SetTransformer
from .prior import Worlds, worlds
from .reading import Reading, read

FIRST = 10**6  # the seed of the first world; no network is trained on worlds of a seed
NAN = float("nan")
AT_ONCE = 16  # logs that are weighed against the prior at once


class HeldOut(NamedTuple):
    """Unseen worlds of one graph: their logs, and the exact answers."""

    kind: type[RandomSCM]
    readings: list[Reading]
    frequencies: Floats  # the mean reward of each action in each context of the log
    seen: Floats  # E(y | x, c), what infinitely long logs say: (worlds, queries)
    truths: Floats  # E(y | do(x), c): (worlds, queries)
    twins: Floats  # the same in the twins, which have the same law of the log


class Line(NamedTuple):
    """A line of the evaluation: one way to answer, in the worlds of one graph."""

    graph: str
    answers: str
    error: float  # root mean squared error against E(y | do(x), c)
    in_twins: float  # the same against the twins' values, given the same logs
    right: float  # the share of contexts in which the action of the largest answer is best
    right_in_twins: float


def held_out(kind: type[RandomSCM], count: int, rows: int, seed: int = 0) -> HeldOut:
    """`count` worlds of a graph that no network has seen, with a log of `rows` rows each."""
    population = Population(world_id(kind), range(FIRST, FIRST + count))
    readings, frequencies = [], []
    for log, _ in population.pairs(rows, seed):
        data = log.view()
        readings.append(read(data))
        frequencies.append(_means(data))
    seen = population.associations.reshape(count, -1)
    truths = population.truths.reshape(count, -1)
    twins = population.twins().truths.reshape(count, -1)
    return HeldOut(kind, readings, np.stack(frequencies), seen, truths, twins)


def evaluated(
    networks: Mapping[str, SetTransformer],
    count: int,
    rows: int,
    prior: int,
    kinds: Sequence[type[RandomSCM]] = TEMPLATES,
) -> Iterator[Line]:
    """The lines of all graphs, with `count` worlds of each and logs of `rows` rows.

    The posterior mean is computed from `prior` worlds of the prior, weighted by the likelihood of
    the log, where the rows take few values: for the graph without context and logged variables.
    """
    for kind in kinds:
        unseen = held_out(kind, count, rows)
        yield line_of(unseen, "frequencies of the log", unseen.frequencies)
        for target, network in networks.items():
            line = line_of(unseen, f"network, {target}", answers_of(network, unseen.readings))
            # the answers of "best" are no rewards
            yield line._replace(error=NAN, in_twins=NAN) if target == "best" else line
        if kind is RandomSCM:
            means, size = posterior_means(worlds(kind, np.random.default_rng(1), prior), unseen)
            yield line_of(unseen, f"posterior mean ({size:,.0f} effective worlds)", means)


def pooled(lines: Sequence[Line]) -> list[Line]:
    """One line for each way to answer in which every graph was answered, over all graphs."""
    graphs = {line.graph for line in lines}
    together = []
    for answers in dict.fromkeys(line.answers for line in lines):
        numbers = np.array([line[2:] for line in lines if line.answers == answers])
        if len(numbers) == len(graphs):
            errors = np.sqrt(np.square(numbers[:, :2]).mean(0))
            together.append(Line("all", answers, *errors, *numbers[:, 2:].mean(0)))
    return together


def posterior_means(drawn: Worlds, unseen: HeldOut) -> tuple[Floats, float]:
    """E[E(y | do(x), c) | log] of each unseen world, by importance weighting: (worlds, queries).

    The proposal is the prior, and the weights are the likelihoods of the log in the drawn worlds.
    Also the median effective sample size, 1 / sum of the squared normalised weights.
    """
    laws = np.log(drawn.laws / drawn.laws.sum(1, keepdims=True))
    counts = np.stack([_counts_of(drawn, reading) for reading in unseen.readings])
    means, sizes = [], []
    for start in range(0, len(counts), AT_ONCE):
        likelihood = counts[start : start + AT_ONCE] @ laws.T
        weight = np.exp(likelihood - likelihood.max(1, keepdims=True))
        weight /= weight.sum(1, keepdims=True)
        means.append(weight @ drawn.targets["intervene"])
        sizes.append(1.0 / np.square(weight).sum(1))
    return np.concatenate(means), float(np.median(np.concatenate(sizes)))


def answers_of(network: SetTransformer, readings: Sequence[Reading]) -> Floats:
    """The answers to all queries of several logs, padded to the longest with rows that occur 0
    times: (worlds, queries).
    """
    longest = max(len(reading.rows) for reading in readings)
    rows = np.stack([_padded(reading.rows, longest) for reading in readings])
    counts = np.stack([_padded(reading.counts, longest) for reading in readings])
    return network.answers(rows, counts, np.stack([reading.queries for reading in readings]))


def line_of(unseen: HeldOut, answers: str, means: Floats) -> Line:
    """The line of some answers (worlds, queries)."""
    sides = unseen.truths, unseen.twins
    errors = [float(np.sqrt(np.nanmean(np.square(means - side)))) for side in sides]
    right = [_right(means, side) for side in sides]
    return Line(unseen.kind.__name__, answers, *errors, *right)


def _counts_of(drawn: Worlds, reading: Reading) -> Floats:
    """The counts of a log, in the order of the rows of its graph's prior."""
    same = (drawn.rows[:, None] == reading.rows[None]).all(2)
    return np.asarray(same @ reading.counts)


def _means(data: Data) -> Floats:
    """The mean reward of each context and action, and of all rows where there is none."""
    process = process_of(data)
    seen = process.visits > 0
    return np.where(seen, process.reward, data["reward"].mean()).ravel()


def _padded(column: Floats, rows: int) -> Floats:
    return np.concatenate([column, np.zeros((rows - len(column), *column.shape[1:]))])


def _right(means: Floats, truth: Floats) -> float:
    by_context = truth.reshape(-1, 2)
    return float((means.reshape(-1, 2).argmax(1) == by_context.argmax(1)).mean())
