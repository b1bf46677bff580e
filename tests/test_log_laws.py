"""The laws of logs: they follow the model's law, come back as they went, and tell a learner nothing that it should not know."""

import gc
import os
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import minari
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom, norm

from confoundry.causal import SCM, Array, Bernoulli, InputError, behaviour_policy, distribution, tables, uniform_policy, value
from confoundry.causal.distributions import tidy
from confoundry.causal.scm import Mechanism
from confoundry.envs import CausalEnv, Data, Log, as_integer, collect, load_latents, make_model, members
from confoundry.envs.log import LABELS
from confoundry.envs.minari_exchange import from_minari, to_minari

SEED = 918_273_645
THROWAWAY = {name: make_model(f"{Path(__file__).with_name('throwaway.py')}:{name}") for name in ("Relay", "Survivors", "Gauge")}
MODELS: dict[str, SCM] = {**dict(members()), **THROWAWAY}
DISCRETE = {text: model for text, model in MODELS.items() if text != "Gauge"}
ONE_STEP = {text: model for text, model in DISCRETE.items() if model.horizon == 1}

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_discrete_model = pytest.mark.parametrize("model", DISCRETE.values(), ids=DISCRETE)
every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)

ICE = MODELS["IceCreamShorts-v0"]
RELAY = MODELS["Relay"]


def log_of(model: SCM, episodes: int = 200, seed: int = SEED, **how: Any) -> Log:
    return collect(replace(model, horizon=min(model.horizon, 6)), episodes, seed, **how)


def same(one: Log, other: Log) -> bool:
    """Whether two logs have the same columns, bit by bit, and are about the same task."""
    columns = all(np.array_equal(column, other.columns[name], equal_nan=True) for name, column in one.columns.items())
    return columns and one.columns.keys() == other.columns.keys() and one.content_hash == other.content_hash


# What is recorded.


@every_model
def test_a_log_has_the_columns_that_it_should_and_whole_episodes(model: SCM) -> None:
    log = log_of(model)
    known = {"episode", "step", "observation", "action", "reward", "next_observation", "terminated", "truncated", "regime", "propensity"}
    assert log.columns.keys() == known | set(model.names("logged"))
    assert log.latents.keys() == set(model.names("latent"))
    assert {len(column) for column in (*log.columns.values(), *log.latents.values())} == {len(log)}
    episode, step, ended = log.columns["episode"], log.columns["step"], log.columns["terminated"] | log.columns["truncated"]
    starts = np.append(True, episode[1:] != episode[:-1])
    assert np.unique(episode).tolist() == list(range(200))
    assert (np.diff(episode) >= 0).all()
    assert np.array_equal(step == 0, starts)
    assert np.array_equal(np.append(starts[1:], True), ended)
    goes_on = np.flatnonzero(~ended)
    assert np.array_equal(log.columns["next_observation"][goes_on], log.columns["observation"][goes_on + 1])
    assert log.columns["terminated"].any() == (model.horizon == 1 or bool(model.names("terminal")))


@pytest.mark.parametrize(
    "model", [m for m in MODELS.values() if not m.burn_in and not m.names("selection")], ids=lambda m: type(m).__name__
)
def test_taking_the_logged_actions_in_the_environment_gives_the_log(model: SCM) -> None:
    log, env = log_of(model, 30), CausalEnv(replace(model, horizon=min(model.horizon, 6)), paired=True)
    for row in range(len(log)):
        columns = {name: column[row] for name, column in log.columns.items()}
        if columns["step"] == 0:
            observation, _ = env.reset(seed=SEED if row == 0 else None)
            assert np.array_equal(observation, columns["observation"])
        observation, pay, terminated, truncated, info = env.step(columns["action"])
        assert np.array_equal(observation, columns["next_observation"])
        assert (pay, terminated, truncated) == (columns["reward"], columns["terminated"], columns["truncated"])
        assert info == {name: columns[name] for name in model.names("logged")}


# Exact laws against logs: at most 5,000 cells in all, each within the tail that 4 standard errors would leave to a single one.
SURPRISE = norm.sf(4.0) / 5_000
MOST_CELLS = 5_000 // len(DISCRETE)


def tails(law: Array, counts: Array) -> Array:
    p = law.ravel().clip(0.0, 1.0)
    tail = np.minimum(binom.cdf(counts, counts.sum(), p), binom.sf(counts - 1, counts.sum(), p))
    return np.asarray(tail[(p > 0) | (counts > 0)])


@every_discrete_model
def test_the_frequencies_of_a_log_follow_the_exact_law(model: SCM) -> None:
    model = replace(model, horizon=min(model.horizon, 3))
    log = collect(model, 20_000, SEED)
    whole = replace(model, horizon=model.horizon + model.burn_in, burn_in=0)  # the log begins after the burn-in
    names = (*model.contexts, model.action, *model.names("logged"), model.reward)
    recorded = dict.fromkeys(model.names("selection"), 1)
    found = []
    for step in range(model.horizon):
        law = distribution(whole, *names, given=recorded, step=step + model.burn_in)
        rows = {name: column[log.columns["step"] == step] for name, column in log.columns.items()}
        contexts = np.reshape(rows["observation"], (len(rows["step"]), -1)).T
        values = [*contexts[: len(model.contexts)], rows["action"], *(rows[name] for name in model.names("logged")), rows["reward"]]
        index = [np.searchsorted(tables(model).support(name), tidy(column)) for name, column in zip(names, values, strict=True)]
        found.append(tails(law, np.bincount(np.ravel_multi_index(index, law.shape), minlength=law.size)))
    assert sum(map(len, found)) <= MOST_CELLS
    assert min(tail.min() for tail in found) > SURPRISE


def test_a_log_of_a_slightly_different_model_is_a_surprise() -> None:
    law, actions = (
        distribution(ICE, "ice_cream"),
        collect(make_model("IceCreamShorts-v0", confounding=0.76).do(ice_cream=Bernoulli(0.52)), 20_000, SEED).columns["action"],
    )
    assert tails(law, np.bincount(actions, minlength=2)).min() < SURPRISE


def test_after_a_long_burn_in_a_log_starts_from_the_stationary_law() -> None:
    model = MODELS["ConfoundedRiver-MarkovRiver-v0"]
    log = collect(replace(model, horizon=2), 20_000, SEED)
    start = np.bincount(log.columns["observation"][log.columns["step"] == 0], minlength=5)
    later = distribution(replace(model, horizon=402, burn_in=0), "cell", step=400)
    assert tails(later, start).min() > SURPRISE
    assert tails(distribution(model, "cell"), start).min() < SURPRISE


def test_the_rows_of_a_selected_log_are_those_that_selection_keeps() -> None:
    model = MODELS["Survivors"]
    log = collect(model, 5_000, SEED)
    units = model.sample(20_000, np.random.default_rng(0))
    assert (len(log), log.episodes) == (5_000, 5_000)
    assert "recorded" not in log.columns
    assert log.columns["reward"].mean() == pytest.approx(units["win"][units["recorded"] == 1].mean(), abs=0.03)
    assert log.columns["reward"].mean() > units["win"].mean() + 0.1


# Propensities.


@every_model
def test_the_propensity_is_that_of_the_action_given_the_context_alone(model: SCM) -> None:
    log = log_of(model)
    if model not in DISCRETE.values():
        assert np.isnan(log.columns["propensity"]).all()
        return
    cells = as_integer(log.observation_space, log.columns["observation"])
    policy = behaviour_policy(replace(model, horizon=log.horizon))
    if model.horizon == 1:
        joint = distribution(model, *model.contexts, model.action, given=dict.fromkeys(model.names("selection"), 1))
        joint = joint.reshape(-1, joint.shape[-1])
        assert policy[joint.sum(1) > 0] == pytest.approx((joint / joint.sum(1, keepdims=True))[joint.sum(1) > 0], abs=1e-12)
    assert log.columns["propensity"] == pytest.approx(policy[cells, log.columns["action"]], abs=1e-12)


def weighted(log: Log, act: int) -> tuple[float, float]:
    """The mean reward of an action by inverse propensity weighting with the logged propensity, and its standard error."""
    terms = (log.columns["action"] == act) / log.columns["propensity"] * log.columns["reward"]
    return float(terms.mean()), float(terms.std() / np.sqrt(len(log)))


def naive_and_causal(model: SCM, act: int) -> tuple[float, float, float]:
    """The sum over contexts of P(context) E[reward | action, context] in the log, the value of always taking the action, and
    the standard deviation of one weighted reward."""
    policy = np.tile(np.eye(uniform_policy(model).shape[1])[act], (len(uniform_policy(model)), 1))
    joint = distribution(model, *model.contexts, model.action, model.reward, given=dict.fromkeys(model.names("selection"), 1))
    joint = joint.reshape(-1, *joint.shape[-2:])
    context, taken, pay = joint.sum((1, 2)), joint[:, act].sum(-1), tables(model).support(model.reward)
    weight = context / np.where(taken > 0, taken, 1.0)
    naive, square = weight @ (joint[:, act] @ pay), weight**2 @ (joint[:, act] @ pay**2)
    return float(naive), value(model, policy), float(np.sqrt(square - naive**2))


def is_biased(model: SCM, act: int) -> bool:
    """Whether 100,000 rows can tell naive from causal by 12 standard errors."""
    naive, causal, deviation = naive_and_causal(model, act)
    return bool(abs(naive - causal) > 12 * deviation / np.sqrt(100_000) + 1e-9)


BIASED = {
    f"{text}, action {act}": (model, act)
    for text, model in ONE_STEP.items()
    for act in range(uniform_policy(model).shape[1])
    if is_biased(model, act)
}


def test_most_worlds_are_confounded() -> None:
    assert len({text.partition(",")[0] for text in BIASED}) >= len(ONE_STEP) / 2


@pytest.mark.parametrize(("model", "act"), BIASED.values(), ids=BIASED)
def test_weighting_with_the_logged_propensity_keeps_the_confounding(model: SCM, act: int) -> None:
    """Within what 4 standard errors are to one comparison, for all of these together (Bonferroni)."""
    estimate, error = weighted(collect(model, 100_000, SEED), act)
    naive, causal, _ = naive_and_causal(model, act)
    widest = norm.isf(norm.sf(4.0) / len(BIASED)) * error
    assert abs(estimate - naive) < widest + 1e-9
    assert abs(estimate - causal) > widest


# Regimes and labels.


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_a_mixed_log_says_who_acted_and_with_what_propensity(share: float) -> None:
    log = collect(RELAY, 4_000, SEED, "mixed", share)
    regime, episode = log.columns["regime"], log.columns["episode"]
    first = regime[log.columns["step"] == 0]
    assert abs(first.mean() - share) <= 4 * np.sqrt(share * (1 - share) / 4_000)
    assert np.array_equal(regime, first[episode])
    policies = np.stack([behaviour_policy(RELAY), uniform_policy(RELAY)])
    cells = as_integer(log.observation_space, log.columns["observation"])
    assert log.columns["propensity"] == pytest.approx(policies[regime, cells, log.columns["action"]], abs=1e-12)
    assert log.origin["share"] == share


def test_in_a_mixed_log_only_the_experimenters_episodes_tell_what_an_action_does() -> None:
    log = collect(ICE, 40_000, SEED, "mixed")
    for regime, expected in ((0, (0.135, 0.615)), (1, (0.475, 0.275))):
        rows = log.columns["regime"] == regime
        for act in (0, 1):
            pay = log.columns["reward"][rows & (log.columns["action"] == act)]
            assert pay.mean() == pytest.approx(expected[act], abs=4 * pay.std() / np.sqrt(len(pay)))


def test_the_regimes_differ_by_who_acts_and_in_nothing_else() -> None:
    seen, acted, mixed = (collect(ICE, 500, SEED, regime) for regime in ("observe", "intervene", "mixed"))
    assert (seen.columns["regime"] == 0).all()
    assert (acted.columns["regime"] == 1).all()
    assert all(np.array_equal(seen.latents["heat"], log.latents["heat"]) for log in (acted, mixed))
    for name in ("action", "shorts", "reward", "propensity"):
        expected = np.where(mixed.columns["regime"] == 1, acted.columns[name], seen.columns[name])
        assert np.array_equal(mixed.columns[name], expected)


def test_without_labels_the_labels_are_gone_and_the_episodes_shuffled() -> None:
    model = make_model("IceCreamShorts-Domains-v0")
    for log, name in ((collect(model, 300, SEED, "mixed"), "shorts"), (collect(RELAY, 300, SEED, "mixed"), "spark")):
        told = log.view(np.random.default_rng(0), labels=True)
        untold = log.view(np.random.default_rng(0))
        assert told.columns.keys() == log.columns.keys()
        assert all(np.array_equal(told[column], log.columns[column]) for column in log.columns)
        assert told.columns.keys() - untold.columns.keys() == set(LABELS) & log.columns.keys()
        assert not set(untold.logged) & set(LABELS)
        keys = [name, "observation", "action", "reward", "next_observation", "terminated", "step"]
        ours, theirs = [courses(data, keys) for data in (log.columns, untold.columns)]
        assert ours != theirs
        assert sorted(ours) == sorted(theirs)
        order = [log.view(np.random.default_rng(seed))["reward"].tolist() for seed in (0, 0, 1)]
        assert order[0] == order[1] != order[2]


def courses(columns: Any, names: list[str]) -> list[str]:
    """The episodes as text, in the order in which they come."""
    starts = np.flatnonzero(columns["step"] == 0)[1:]
    return [repr([part.tolist() for part in parts]) for parts in zip(*(np.split(columns[name], starts) for name in names), strict=True)]


# Nothing leaks.


def reachable(root: object) -> Iterator[Any]:
    """Every object that can be reached from another, but through modules, types and the globals of functions."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, types.ModuleType | type):
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, types.FunctionType):
            stack += [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
        elif isinstance(thing, np.ndarray):
            stack += [thing.base, *(thing.ravel().tolist() if thing.dtype == object else ())]
        else:
            stack += gc.get_referents(thing)


def leaks(data: Data, log: Log, world: str, path: Path) -> list[str]:
    """What can be reached from what a learner is handed, and should not be."""
    secrets = (str(SEED), log.content_hash, world, str(path))
    found = []
    for thing in reachable(data):
        if isinstance(thing, SCM | Log | Mechanism | Path | pa.Array | pa.Buffer | pa.Table | memoryview):
            found.append(type(thing).__name__)
        if isinstance(thing, str) and any(secret in thing for secret in secrets):
            found.append(thing)
        if isinstance(thing, int) and thing == SEED:
            found.append("the seed")
    return found


def handed_out(tmp_path: Path) -> Iterator[tuple[Data, Log, str, Path]]:
    """All ways in which a learner is handed a log."""
    for world, model in {"IceCreamShorts-v0": ICE, "Relay": RELAY, "Gauge": MODELS["Gauge"]}.items():
        log = collect(model, 50, SEED, "mixed", origin={"world": world})
        path = log.save(tmp_path / f"{world}.arrow")
        for one in (log, Log.load(path)):
            for labels in (False, True):
                yield one.view(np.random.default_rng(0), labels, model.graph.copy()), one, world, path


def test_from_what_a_learner_is_handed_no_model_log_seed_or_name_can_be_reached(tmp_path: Path) -> None:
    for data, log, world, path in handed_out(tmp_path):
        assert leaks(data, log, world, path) == []
        assert not load_latents(path).keys() & data.columns.keys()


def test_a_planted_leak_is_reached(tmp_path: Path) -> None:
    data, log, world, path = next(handed_out(tmp_path))
    assert data.graph is not None
    plants: list[tuple[Any, str]] = [(ICE, "IceCreamShorts"), (log, "Log"), (SEED, "the seed"), (f"log of {world}", f"log of {world}")]
    plants.append((lambda: log, "Log"))  # in a closure
    for plant, name in plants:
        data.graph.nodes["heat"]["plant"] = plant
        assert name in leaks(data, log, world, path)


def test_what_a_learner_is_handed_is_its_own() -> None:
    log = collect(RELAY, 50, SEED)
    before = {name: column.copy() for name, column in log.columns.items()}
    for labels in (False, True):
        data = log.view(np.random.default_rng(0), labels)
        for column in data.columns.values():
            column[...] = 0
    assert all(np.array_equal(column, before[name]) for name, column in log.columns.items())


# Equal seeds.


def fingerprint() -> list[str]:
    worlds = [(model, how) for model in MODELS.values() for how in ("observe", "mixed") if how == "mixed" or model.horizon > 1]
    return [log_of(model, 40, regime=how).content_hash for model, how in worlds]


def test_equal_seeds_give_equal_logs_in_another_process(elsewhere: Callable[..., Any]) -> None:
    assert elsewhere(fingerprint) == fingerprint()


@pytest.mark.parametrize("change", [{"seed": 1}, {"episodes": 199}, {"regime": "intervene"}, {"regime": "mixed"}])
def test_another_seed_size_or_regime_gives_another_log(change: dict[str, Any]) -> None:
    assert log_of(ICE).content_hash != log_of(ICE, **change).content_hash


def test_a_longer_log_begins_with_the_shorter_one() -> None:
    few, many = log_of(RELAY, 20), log_of(RELAY, 90)
    assert all(np.array_equal(column, many.columns[name][: len(few)]) for name, column in few.columns.items())


# Files.


@every_model
def test_a_log_comes_back_from_its_file_as_it_went_and_is_not_read_into_memory(model: SCM, tmp_path: Path) -> None:
    log = log_of(model, origin={"world": "somewhere"})
    path = log.save(tmp_path / "deep" / "log.arrow")
    again = Log.load(path)
    assert same(log, again)
    assert (again.logged, again.horizon, again.discount) == (log.logged, log.horizon, log.discount)
    assert (again.observation_space, again.action_space) == (log.observation_space, log.action_space)
    assert again.origin == {**log.origin, "world": "somewhere", "seed": SEED}
    for name, column in again.columns.items():
        assert column.dtype == log.columns[name].dtype
        assert not column.flags.owndata
        assert not column.flags.writeable


@every_model
def test_latents_are_in_a_file_of_their_own_that_loading_never_opens(model: SCM, tmp_path: Path) -> None:
    log = log_of(model)
    path = log.save(tmp_path / "log.arrow")
    beside = tmp_path / "log.latents.arrow"
    assert beside.exists() == bool(model.names("latent"))
    for name in model.names("latent"):
        assert name.encode() not in path.read_bytes()
        assert np.array_equal(load_latents(path)[name], log.latents[name])
    beside.unlink(missing_ok=True)
    beside.mkdir()  # opening it would be an error
    assert Log.load(path).latents == {}
    assert same(log, Log.load(path))


def refused(request: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        request()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_latents_of_another_log_are_refused(tmp_path: Path) -> None:
    path = log_of(ICE).save(tmp_path / "log.arrow")
    replace(log_of(ICE, seed=1), latents={}).save(path)
    assert "has the latents of another log" in refused(lambda: load_latents(path))
    (tmp_path / "log.latents.arrow").unlink()
    assert "there is no file" in refused(lambda: load_latents(path))


def foreign(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("x", pa.int64())])) as writer:
        writer.write_table(pa.table({"x": [1, 2]}))


FILES: dict[str, tuple[Callable[[Path, bytes], Any], str]] = {
    "empty": (lambda path, whole: path.write_bytes(b""), "is not a log, or not a whole one"),
    "text": (lambda path, whole: path.write_text("episode,step\n0,0\n"), "is not a log, or not a whole one"),
    "foreign": (lambda path, whole: foreign(path), "is not a log, or not a whole one"),
    "folder": (lambda path, whole: path.mkdir(), "is not a log, or not a whole one"),
    "missing": (lambda path, whole: None, "there is no file"),
    "latents": (lambda path, whole: path.write_bytes(path.with_name("log.latents.arrow").read_bytes()), "is not a log"),
    "first byte lost": (lambda path, whole: path.write_bytes(whole[1:]), "is not a log, or not a whole one"),
    "last byte lost": (lambda path, whole: path.write_bytes(whole[:-1]), "is not a log, or not a whole one"),
    "half": (lambda path, whole: path.write_bytes(whole[: len(whole) // 2]), "is not a log, or not a whole one"),
    "longer horizon": (
        lambda path, whole: path.write_bytes(whole.replace(b'"horizon": 3', b'"horizon": 7')),
        "was changed after it was written",
    ),
    "key gone": (lambda path, whole: path.write_bytes(whole.replace(b'"discount"', b'"disc_unt"')), "was changed after it was written"),
    "column renamed": (lambda path, whole: path.write_bytes(whole.replace(b"spark", b"shark")), "was changed after it was written"),
}


@pytest.mark.parametrize(("spoil", "text"), FILES.values(), ids=FILES)
def test_a_file_that_is_not_a_whole_log_is_refused(spoil: Callable[[Path, bytes], Any], text: str, tmp_path: Path) -> None:
    whole = log_of(RELAY).save(tmp_path / "log.arrow").read_bytes()
    path = tmp_path / "spoilt.arrow"
    spoil(path, whole)
    message = refused(lambda: Log.load(path))
    assert text in message
    assert "spoilt.arrow" in message


def test_a_changed_byte_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    log, path = log_of(RELAY, 40), tmp_path / "spoilt.arrow"
    whole = log.save(tmp_path / "log.arrow").read_bytes()
    places = range(0, len(whole), 97)
    unnoticed = []
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x81]) + whole[place + 1 :])
        with suppress(InputError):
            unnoticed.append(Log.load(path))
    assert all(same(log, other) for other in unnoticed)
    assert len(unnoticed) < len(places) / 2


def test_a_save_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, folder = log_of(ICE), tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in refused(lambda: log.save(tmp_path / "file" / "log.arrow"))
    assert "cannot be written" in refused(lambda: log.save(folder))
    (folder / "log.latents.arrow").mkdir()  # in the way of the second file
    assert "log.latents.arrow is a folder" in refused(lambda: log.save(folder / "log.arrow"))
    (folder / "log.latents.arrow").rmdir()

    def full(source: str, target: str) -> None:
        if "latents" not in str(target):
            raise OSError(28, "No space left on device")
        arrow_replace(source, target)

    arrow_replace = os.replace
    monkeypatch.setattr(os, "replace", full)
    assert "log.arrow cannot be written: No space left on device" in refused(lambda: log.save(folder / "log.arrow"))
    monkeypatch.undo()
    monkeypatch.setattr(pa, "OSFile", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        log.save(folder / "log.arrow")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_save_that_fails_keeps_the_log_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = replace(log_of(ICE), latents={})
    path = log.save(tmp_path / "log.arrow")
    monkeypatch.setattr(pa.ipc, "new_file", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    assert "Input/output error" in refused(lambda: replace(log_of(ICE, seed=1), latents={}).save(path))
    monkeypatch.undo()
    assert same(log, Log.load(path))
    assert [file.name for file in tmp_path.iterdir()] == ["log.arrow"]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"regime": "observed"}, "'observed' is not a regime of a log; did you mean 'observe'?"),
        ({"episodes": 0}, "a log needs 1 episode or more"),
        ({"regime": "mixed", "share": 1.5}, "a share in [0, 1]; got 200 and 1.5 (mixed)"),
        ({"regime": "mixed", "share": float("nan")}, "a share in [0, 1]"),
        ({"regime": "observe", "share": 0.5}, "got 200 and 0.5 (observe)"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused(how: dict[str, Any], text: str) -> None:
    assert text in refused(lambda: log_of(ICE, **how))


# Minari.


@pytest.fixture
def minari_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("minari_folder")
@pytest.mark.parametrize("world", ["IceCreamShorts-v0", "IceCreamShorts-Domains-v0", "ConfoundedRiver-v0", "Relay", "Gauge"])
def test_a_log_comes_back_from_minari_as_it_went(world: str) -> None:
    log = log_of(MODELS[world], 30 if MODELS[world].horizon > 1 else 1_500, regime="mixed", origin={"world": world})
    to_minari(log, "laws/world-v0")
    again = from_minari("laws/world-v0")
    assert same(log, again)
    assert again.origin == log.origin
    assert not set(MODELS[world].names("latent")) & set(minari.load_dataset("laws/world-v0")[0].infos)


def test_minari_refuses_in_one_line_and_loses_nothing(minari_folder: Path) -> None:
    log = log_of(ICE)
    to_minari(log, "laws/ice-v0")
    assert "laws/ice-v0" in refused(lambda: to_minari(log_of(ICE, seed=1), "laws/ice-v0"))
    assert same(log, from_minari("laws/ice-v0"))
    assert "Minari does not read 'laws/snow-v0'" in refused(lambda: from_minari("laws/snow-v0"))
    assert "Minari does not write 'no version'" in refused(lambda: to_minari(log, "no version"))
    assert [path.parent.name for path in minari_folder.rglob("data")] == ["ice-v0"]
