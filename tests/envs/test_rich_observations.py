"""Contexts shown as digits or noisy vectors: what agents see, and values that stay exact."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch
from countable import each
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_by_sb3

from dosuite.agents.networks.network_policy import NetworkPolicy
from dosuite.agents.networks.perceptrons import Perceptrons
from dosuite.causal import Array, InputError, NotDiscreteError, World, value
from dosuite.envs import (
    CausalEnv,
    CausalVectorEnv,
    Log,
    choices,
    collect,
    every_observation,
    from_minari,
    make_model,
    members,
    observation_space,
    shown_contexts,
    to_minari,
    to_pandas,
    unparse,
    with_bank,
)
from dosuite.envs.observations.digits import BANKS, EXEMPLARS, banks
from dosuite.envs.registry import world_text
from dosuite.envs.settings import parse
from dosuite.envs.spaces import action_space
from dosuite.eval import Run, score
from dosuite.eval.runs.pairs import floor_value, learned_pair
from dosuite.eval.runs.policy_value import estimated_by_rollouts, policy_value

RIVER = "ConfoundedRiver-v0:observation=digits"
ICE = "IceCreamShorts-v0:observation=digits"  # has no context
BRAKE = "BrakeLight-v0:observation=digits"  # has two


def on_digits(model: World) -> World | None:
    """The model with its contexts shown as digits; None if they, or its actions, are numbers."""
    try:
        shown = replace(model, observation="digits", horizon=min(model.horizon, 10))
        if model.action_bounds is not None or len(shown_contexts(shown)) > 200:
            return None
    except (InputError, NotDiscreteError):
        return None
    return shown


SHOWN = {text: shown for text, model in members() if (shown := on_digits(model)) is not None}
for name in ("IceCreamShorts-v0", "ConfoundedRiver-v0"):
    SHOWN[f"{name}, nuisance"] = make_model(name, observation="nuisance")
every_model = each(SHOWN)


def random_network(model: World) -> NetworkPolicy:
    """A policy that acts at random by a network that was never trained, on what the model shows."""
    space = observation_space(model)
    rng = np.random.default_rng(1)
    sizes = [int(np.prod(space.shape or ())), 16, choices(action_space(model))]
    height, width = (space.shape or ())[1:]
    net = Perceptrons.drawn(sizes, [rng], (height, width))
    with torch.no_grad():
        net.layers[-2].mul_(20.0)  # far from uniform, and different between exemplars
    return NetworkPolicy(space, None, net)


@every_model
@pytest.mark.long
def test_the_exact_value_of_a_network_is_the_mean_return_of_its_rollouts(model: World) -> None:
    policy = random_network(model)
    exact = policy_value(model, policy)
    assert exact.exact
    sampled = estimated_by_rollouts(model, policy, 0, 4000)
    assert abs(sampled.value - exact.value) <= 4 * sampled.std_error + 1e-9


def test_a_policy_that_reads_one_exemplar_is_valued_by_all() -> None:
    model = make_model(ICE)
    first = shown_contexts(model)[0, 0]

    def buys_on_the_first(observations: Array) -> Array:
        return np.asarray((observations == first).all((1, 2, 3)).astype(int))

    found = score(ICE, buys_on_the_first).iloc[0]
    share = 1 / (10 * EXEMPLARS)
    expected = value(model, np.array([[1 - share, share]]))
    assert found["value"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("observation", ["digits", "noise[dims=3,level=0.5]"])
def test_a_batch_shows_what_single_environments_show(observation: str, paired: bool) -> None:
    model = make_model("ConfoundedRiver-v0", observation=observation, horizon=7)
    batch = CausalVectorEnv(model, 5, paired=paired)
    singles = [CausalEnv(model, paired=paired) for _ in range(5)]
    shown, _ = batch.reset(seed=3)
    assert np.array_equal(shown, [env.reset(seed=3 + i)[0] for i, env in enumerate(singles)])
    rng = np.random.default_rng(0)
    for _ in range(20):
        actions = rng.integers(2, size=5)
        shown, _, _, _, infos = batch.step(actions)
        for i, env in enumerate(singles):
            seen, _, terminated, truncated, _ = env.step(int(actions[i]))
            if terminated or truncated:
                assert np.array_equal(infos["final_obs"][i], seen)
                seen, _ = env.reset()
            assert np.array_equal(shown[i], seen)


@pytest.mark.parametrize("world", [RIVER, ICE, BRAKE])
@pytest.mark.filterwarnings("ignore:.*(minimal resolution|WARN)")
def test_the_checkers_of_other_libraries_pass(world: str) -> None:
    name, settings = parse(world)
    env = gymnasium.make(f"dosuite.envs:{name}", observation=settings["observation"])
    check_env(env.unwrapped, skip_render_check=True)
    check_by_sb3(env)


def test_the_banks_are_apart_and_have_equally_many_exemplars_of_each_digit() -> None:
    train, test = (banks()[bank].reshape(10 * EXEMPLARS, -1) for bank in BANKS)
    assert len(np.unique(np.concatenate([train, test]), axis=0)) == 20 * EXEMPLARS
    model = make_model(BRAKE)
    shown, unseen = shown_contexts(model), shown_contexts(with_bank(model, "test"))
    assert shown.shape == unseen.shape == (4, EXEMPLARS, 1, 8, 16)
    assert len(np.unique(every_observation(model), axis=0)) == 2 * 4 * EXEMPLARS


def test_exemplars_are_drawn_uniformly_from_those_of_the_context() -> None:
    model = make_model(RIVER, horizon=1)
    env = CausalVectorEnv(model, 40_000)
    shown, _ = env.reset(seed=0)
    plain, _ = CausalVectorEnv(replace(model, observation=""), 40_000).reset(seed=0)
    known = shown_contexts(model)
    for context in np.unique(plain):
        drawn = shown[plain == context].reshape(-1, 64)
        number = {row.tobytes(): i for i, row in enumerate(known[context].reshape(-1, 64))}
        counts = np.bincount([number[row.tobytes()] for row in drawn], minlength=EXEMPLARS)
        expected = len(drawn) / EXEMPLARS
        assert ((counts - expected) ** 2 / expected).sum() < 140  # chi-squared, 86 degrees: 2e-4


def test_a_log_on_digits_is_the_log_with_other_observations(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    log, plain = (collect(make_model(world), 20, 0) for world in (BRAKE, parse(BRAKE)[0]))
    for name in set(plain.columns) - {"observation", "next_observation"}:
        assert np.array_equal(log[name], plain[name], equal_nan=True)
    assert log["observation"].dtype == np.uint8
    path = log.save(f"{tmp_path}/log.arrow")
    for again in (Log.load(path), from_minari(to_minari(log, "digits/brake-v0").spec.dataset_id)):
        assert again.content_hash == log.content_hash
        assert np.array_equal(again["next_observation"], log["next_observation"])


def test_steps_of_an_episode_show_the_next_observation_of_the_step_before() -> None:
    log = collect(make_model(RIVER), 3, 0)
    same = np.diff(log["episode"]) == 0
    assert np.array_equal(log["observation"][1:][same], log["next_observation"][:-1][same])


@pytest.mark.parametrize("variant", ["", "twin", "control", "hedge"])
def test_variants_and_shifts_show_contexts_as_the_world_does(variant: str) -> None:
    model = make_model(ICE, variant=variant)
    assert model.observation == "digits"
    assert model.deployed().observation == "digits"
    assert all(model.shifted(name).observation == "digits" for name in model.shifts()[:2])


@pytest.mark.parametrize("name", ["SimpsonClinic-v0", "EncourageIV-v0"])
def test_a_run_on_images_is_held_against_the_floor(name: str) -> None:
    (row, *_) = Run(f"{name}:observation=digits", "dqn:updates=5", "observe", 100, 0).rows()
    assert row["status"] == "ok"
    plain = learned_pair(name, "", ("twin", "hedge"))
    expected = np.nan if plain is None else floor_value(plain, False)
    assert row["floor"] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_table_of_probabilities_can_be_played_on_images() -> None:
    model = make_model(RIVER)
    scores = score(RIVER, model.deployed().causal_policy())
    assert scores.loc[0, "value"] == pytest.approx(scores.loc[0, "j_causal"], abs=1e-12)


@pytest.mark.parametrize(
    "text", ["digits", "digits[bank=test]", "noise[dims=5,level=0.5]", "digits:bank=train"]
)
def test_the_text_of_a_model_names_its_observation(text: str) -> None:
    model = make_model("IceCreamShorts-v0", observation=text)
    assert make_model(world_text(model)) == model
    assert parse(unparse("X", {"observation": text, "a": 1}))[1].keys() == {"observation", "a"}


def test_a_table_is_refused_where_observations_cannot_be_counted() -> None:
    with pytest.raises(InputError, match="score it in the world without the observation"):
        score("IceCreamShorts-v0:observation=noise[dims=2]", np.full((1, 2), 0.5))


@pytest.mark.parametrize(
    ("world", "observation", "message"),
    [
        ("IceCreamShorts-v0", "digitz", "'digitz' is not an observation; did you mean 'digits'"),
        ("IceCreamShorts-v0", "digits:bank=x", "'x' is not a bank of digits"),
        ("IceCreamShorts-v0", "noise:dims=0", "1 to 16384 dims"),
        ("IceCreamShorts-v0", "noise:dim=3", "no setting 'dim'"),
        ("AirlinePricing-v0", "digits", "needs contexts that can be counted"),
    ],
)
def test_what_cannot_be_shown_is_refused(world: str, observation: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_model(world, observation=observation)


def test_a_frame_has_one_column_for_each_pixel() -> None:
    log = collect(make_model(ICE), episodes=3, seed=0)
    frame = to_pandas(log)
    pixels = frame[[f"observation_{k}" for k in range(64)]].to_numpy()
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, log["observation"].reshape(3, 64))


@pytest.mark.parametrize("world", ["ConfoundedRiver-v0", "IceCreamShorts-v0"])
def test_a_world_with_a_nuisance_has_no_twin_and_no_hedge(world: str) -> None:
    model = make_model(world, observation="nuisance")
    assert model.twin() is None
    assert model.hedge() is None
    assert "nuisance" in model.hedge_reason()


def test_a_class_says_that_make_model_adds_a_nuisance() -> None:
    with pytest.raises(InputError, match="make_model adds a nuisance"):
        CausalVectorEnv(type(make_model(ICE))(observation="nuisance"), 2)
