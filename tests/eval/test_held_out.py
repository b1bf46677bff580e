"""The held-out track: the worlds that a secret seed draws, and policies in them."""

from hashlib import sha256
from pathlib import Path

import pytest
from submitted import ICE, small_submission
from typer.testing import CliRunner

from dosuite.causal import InputError, distribution
from dosuite.envs import make_model, observation_space
from dosuite.envs.registry import members, world_classes
from dosuite.envs.spaces import action_space
from dosuite.eval.cli.main import app
from dosuite.eval.leaderboard.held_out import commitment, drawn_world, held_out_worlds
from dosuite.eval.runs.reference_values import references

SEED = "a seed of twenty-five signs"
FAMILIES = [
    text
    for text, model in members()
    if model.horizon == 1 or text.startswith(("ConfoundedRiver", "GenotypeClinic"))
]
# Worlds whose confused policy is a best one: there is nothing to confuse, or only the intent helps.
UNCONFUSED = (
    "GreedyCasino-v0:casino=SometimesSwitch",
    "GreedyCasino-v0:casino=NoConfounding",
    "Door-v0:expert=random",
    "Door-v0:expert=strong_good_bias",
    "EncourageIV-VitaminA-v0:hardy=1.0",
    "EncourageIV-Lipid",
    "IceCreamShorts-Twin",
    "SimpsonClinic-Sighted",
    "TransportClinic-Sighted",
)


def test_every_family_of_one_step_declares_ranges() -> None:
    without = [name for name, cls in world_classes().items() if not cls.held_out]
    one_step = [name for name in without if make_model(name).horizon == 1]
    # in both the only cause of the reward that is drawn elsewhere has a cause of its own
    assert one_step == ["SimpsonClinic-BloodPressure-v0", "TransportClinic-Response-v0"]
    assert "ConfoundedRiver-v0" not in without


@pytest.mark.long
@pytest.mark.parametrize("environment", FAMILIES)
def test_every_drawn_world_is_valid_has_the_same_spaces_and_confuses(environment: str) -> None:
    model = make_model(environment)
    drawn = held_out_worlds(environment, SEED, 6)
    assert bool(drawn) == bool(model.held_out)
    gaps = []
    for each in drawn:
        assert observation_space(each.world) == observation_space(model)
        assert action_space(each.world) == action_space(model)
        for name, value in each.values.items():
            low, high = model.held_out[name]
            assert low <= value <= high
        values = references(model, each.world)
        assert values["j_best"] >= values["j_confused"] - 1e-9
        gaps.append(values["j_best"] - values["j_confused"])
    if drawn and not environment.startswith(UNCONFUSED):
        assert max(gaps) > 1e-9


def test_equal_seeds_draw_equal_worlds_and_other_seeds_others() -> None:
    one, same = held_out_worlds(ICE, SEED), held_out_worlds(ICE, SEED)
    assert [each.values for each in one] == [each.values for each in same]
    assert one[0].values != held_out_worlds(ICE, SEED + "!")[0].values
    assert one[0].values != one[1].values


def test_a_law_is_that_of_the_last_value_and_the_others_keep_their_proportions() -> None:
    (drawn,) = held_out_worlds("SlateExposure-v0", SEED, 1)
    shares = distribution(drawn.world, "taste")
    assert shares[2] == pytest.approx(drawn.values["taste"])
    assert shares[0] / shares[1] == pytest.approx(0.60 / 0.25)


@pytest.mark.parametrize(
    ("name", "match"), [("shorts", "without causes"), ("ice", "neither a knob"), ("pay", "causes")]
)
def test_a_range_of_what_cannot_be_drawn_is_refused(name: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        drawn_world(make_model(ICE), {name: 0.5})


def test_the_hash_of_a_seed_is_published_and_a_short_seed_is_refused() -> None:
    hashed = sha256(f"dosuite held-out worlds\n{SEED}".encode()).hexdigest()
    assert commitment(SEED) == hashed
    assert CliRunner().invoke(app, ["check", "--commit", SEED]).output.strip() == hashed
    with pytest.raises(InputError, match="trying all"):
        commitment("1234")


def test_check_scores_the_policies_of_a_submission_in_drawn_worlds(tmp_path: Path) -> None:
    path = small_submission(tmp_path)
    result = CliRunner().invoke(app, ["check", str(path), "--secret", SEED, "--workers", "1"])
    assert result.exit_code == 0, result.output
    table = result.output.partition("held out")[2].splitlines()
    line = next(line for line in table if ICE in line and "naive@observe" in line)
    assert "5 of 5" in line
    assert "1.000 [1.000, 1.000]" in line  # the naive policy is the worst in every one of them
