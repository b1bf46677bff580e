"""The set-transformer: nothing depends on the order of rows, copies weigh as copies, it learns, and
as an agent it answers as it was trained to.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from refusals import refused

from dosuite.agents import make_agent
from dosuite.agents.amortised.agent import HERE
from dosuite.agents.amortised.evaluation import evaluated, held_out, pooled, posterior_means
from dosuite.agents.amortised.network import drawn, load, save
from dosuite.agents.amortised.prior import TARGETS, Worlds, features, logs, queries, worlds
from dosuite.agents.amortised.reading import read
from dosuite.agents.amortised.training import train
from dosuite.causal import Array
from dosuite.causal.exact import do_process, log_process
from dosuite.envs import all_observations, collect, make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.envs.worlds.random_scm import TEMPLATES, MBias, Proxy, RandomSCM

torch.set_num_threads(1)
NETWORK = drawn(3)


def rows_and_queries(seed: int, rows: int = 12) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    context, action, reward, *logged = rng.integers(2, size=(5, rows))
    return features(context[:, None], action, reward, np.stack(logged, 1)), queries(2)


def answers(rows: Array, counts: Array) -> Array:
    return np.asarray(NETWORK.answers(rows[None], counts[None], queries(2)[None])[0])


def test_answers_do_not_depend_on_the_order_of_rows() -> None:
    rows, _ = rows_and_queries(0)
    counts = np.arange(1.0, 13.0)
    order = np.random.default_rng(1).permutation(12)
    expected = answers(rows, counts)
    assert answers(rows[order], counts[order]) == pytest.approx(expected, abs=1e-6)
    assert np.ptp(expected) > 1e-4  # they do depend on the query


def test_a_row_with_a_count_is_read_as_so_many_rows_and_one_with_0_is_not_read() -> None:
    rows, _ = rows_and_queries(0)
    counts = np.arange(12.0)
    copies = rows.repeat(counts.astype(int), axis=0)
    each = answers(copies, np.ones(len(copies)))
    assert answers(rows, counts) == pytest.approx(each, abs=1e-6)
    assert answers(rows[1:], counts[1:]) == pytest.approx(each, abs=1e-6)
    assert abs(answers(rows, np.ones(12)) - each).max() > 1e-4  # counts matter


def test_answers_of_a_log_do_not_depend_on_those_beside_it() -> None:
    pool = worlds(Proxy, np.random.default_rng(0), 6)
    batch = logs(pool, "intervene", np.random.default_rng(1), np.arange(6))
    together = NETWORK.answers(*batch[:3])
    for number in range(6):
        alone = NETWORK.answers(*(part[number : number + 1] for part in batch[:3]))
        assert together[number] == pytest.approx(alone[0], abs=1e-6)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_targets_of_the_prior_are_the_exact_answers_of_its_worlds(
    kind: type[RandomSCM], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(kind.__name__ if kind is RandomSCM else f"RandomSCM-{kind.__name__}", seed=4)
    assert isinstance(model, RandomSCM)
    tables = {name: table[None] for name, table in kind.accepted(4).tables.items()}
    monkeypatch.setattr("dosuite.agents.amortised.prior.drawn_tables", lambda *_: tables)
    pool = worlds(kind, np.random.default_rng(0), 1)
    effects = do_process(model).reward
    assert pool.targets["intervene"][0] == pytest.approx(effects.ravel(), abs=1e-12)
    assert pool.targets["observe"][0] == pytest.approx(log_process(model).reward.ravel(), abs=1e-12)
    assert pool.targets["best"].reshape(-1, 2).argmax(1).tolist() == effects.argmax(1).tolist()
    assert kind.acceptable(tables).all()


def test_a_log_is_read_as_the_rows_and_counts_of_its_prior() -> None:
    for kind in (RandomSCM, MBias, Proxy):
        model = kind(seed=4)
        pool = worlds(kind, np.random.default_rng(0), 1)
        data = collect(model, 2000, 0).view()
        reading = read(data)
        order = [int((pool.rows == row).all(1).argmax()) for row in reading.rows]
        assert np.array_equal(pool.rows[order], reading.rows)
        assert reading.counts.sum() == 2000
        assert np.array_equal(reading.queries, pool.queries)
        mean = reading.rows[:, 2] @ reading.counts / 2000
        assert mean == pytest.approx(2 * data["reward"].mean() - 1, abs=1e-12)


def test_rewards_of_other_scales_are_read_by_their_mean() -> None:
    data = collect(IceCreamShorts(), 500, 0).view()
    reading = read(data)
    ones = reading.counts[reading.rows[:, 2] == 1].sum()
    low, high = data["reward"].min(), data["reward"].max()
    assert low + (high - low) * ones / 500 == pytest.approx(data["reward"].mean(), abs=1e-12)
    assert reading.rewards(np.array([0.0, 1.0])).tolist() == [[low, high]]


def test_a_short_training_lowers_the_loss() -> None:
    few = pools_of(RandomSCM)
    _, losses = train(few, "observe", 40, 0)
    assert losses[-10:].mean() < 0.5 * losses[:5].mean()


def pools_of(*kinds: type[RandomSCM]) -> list[Worlds]:
    return [worlds(kind, np.random.default_rng(0), 50) for kind in kinds]


def fingerprint() -> list[float]:
    torch.set_num_threads(1)
    network, losses = train(pools_of(RandomSCM, Proxy), "intervene", 3, 5)
    return [*losses.tolist(), float(network.head.weight.detach().sum())]


def test_equal_seeds_train_equal_networks_in_another_process(
    elsewhere: Callable[..., list[float]],
) -> None:
    state = torch.get_rng_state()
    assert elsewhere(fingerprint) == fingerprint()
    assert torch.equal(state, torch.get_rng_state())


def test_weights_come_back_from_their_file_to_the_precision_of_half_floats(tmp_path: Path) -> None:
    save(NETWORK, tmp_path / "weights.npz")
    rows, asked = rows_and_queries(2)
    back = load(tmp_path / "weights.npz").answers(rows[None], np.ones((1, 12)), asked[None])[0]
    assert back == pytest.approx(answers(rows, np.ones(12)), abs=2e-3)
    (tmp_path / "other.npz").write_bytes(b"no weights")
    for name in ("other.npz", "none.npz"):
        assert "train some with" in refused(lambda name=name: load(tmp_path / name))  # type: ignore[misc]


def test_the_posterior_mean_is_the_answer_of_the_world_that_the_log_tells_from_the_others() -> None:
    unseen = held_out(RandomSCM, 3, 4000)
    prior = worlds(RandomSCM, np.random.default_rng(0), 3)
    laws = [_law(reading.counts, reading.rows, prior.rows) for reading in unseen.readings]
    known = prior._replace(laws=np.stack(laws), targets={"intervene": unseen.truths})
    means, size = posterior_means(known, unseen)
    assert means == pytest.approx(unseen.truths, abs=1e-6)
    assert size == pytest.approx(1.0, abs=1e-6)


def _law(counts: Array, rows: Array, order: Array) -> Array:
    """The frequencies of a log, in an order of its rows."""
    return np.asarray((order[:, None] == rows[None]).all(2) @ counts / counts.sum())


def test_the_shipped_networks_beat_the_log_in_unseen_worlds_and_lose_in_their_twins() -> None:
    networks = {name: load(HERE / f"{name}.npz") for name in TARGETS}
    both = list(evaluated(networks, 20, 1000, 20_000, [RandomSCM, Proxy]))
    lines = {line.answers: line for line in both if line.graph == "RandomSCM"}
    log, observe, intervene, best, floor = lines.values()
    assert min(log.error, observe.error) > 1.3 * intervene.error
    assert max(log.in_twins, observe.in_twins) < 0.05 < 0.1 < intervene.in_twins
    assert intervene.error == pytest.approx(floor.error, abs=0.01)
    assert max(log.right, observe.right) < 0.4
    assert [line.answers for line in pooled(both)] == [*lines][:4]
    assert pooled(both)[2].error < 0.7 * pooled(both)[0].error
    assert min(intervene.right, best.right) > 0.6 > 0.4 > intervene.right_in_twins


def test_shipped_weights_are_small() -> None:
    assert sum((HERE / f"{name}.npz").stat().st_size for name in TARGETS) < 300_000


@pytest.mark.parametrize("target", TARGETS)
def test_the_agent_acts_greedily_on_the_answers_of_its_network(target: str) -> None:
    data = collect(MBias(seed=3), 1000, 0).view()
    policy = make_agent("amortised", target=target).learn(data)
    reading = read(data)
    asked = (reading.rows[None], reading.counts[None], reading.queries[None])
    expected = load(HERE / f"{target}.npz").answers(*asked)[0].reshape(2, 2)
    observations = np.arange(2)
    assert policy.probabilities(observations).argmax(1).tolist() == expected.argmax(1).tolist()
    values = policy.action_values(observations)
    assert values is None if target == "best" else values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ("ConfoundedRiver", "one step"),
        ("GreedyCasino-FourArms", "two actions"),
        ("ProxyClinic-Chart", "contexts"),
        ("SimpsonClinic:study=Berkeley", "logged variables of two values"),
    ],
)
def test_outside_its_prior_it_plays_uniformly_and_says_why(world: str, why: str) -> None:
    model = make_model(world)
    policy = make_agent("amortised").learn(collect(model, 50, 0).view())
    assert why in policy.note
    assert policy.probabilities(all_observations(model)).std() == 0.0


def test_a_target_that_there_is_not_is_refused() -> None:
    assert refused(lambda: make_agent("amortised", target="intervention")) == (
        "amortised has no target 'intervention'; did you mean 'intervene'?"
    )
