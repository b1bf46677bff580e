"""The reference values that are kept in a file: complete, and equal to what is computed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

from dosuite.envs import world_classes
from dosuite.eval.claims import catalogue_values
from dosuite.eval.claims.catalogue_values import computed_values, kept_values
from dosuite.eval.reports.rounding import number_text

# worlds whose values take more than half a second
SLOW = {
    "CopycatCar-v0",
    "GenotypeClinic-Cross-v0",
    "MonsterShield-v0",
    "SepsisDiabetes-GlucoseSeen-v0",
    "SepsisDiabetes-v0",
    "TreeHarvest-v0",
}
WORLDS = [
    pytest.param(name, marks=[pytest.mark.long] if name in SLOW else []) for name in world_classes()
]


@pytest.fixture
def empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let there be no file, but a path to write it to."""
    monkeypatch.setattr(catalogue_values, "FILE", tmp_path / "values.csv")
    kept_values.cache_clear()
    yield tmp_path / "values.csv"
    kept_values.cache_clear()


def test_the_file_has_the_worlds_of_the_catalogue_sorted_by_name() -> None:
    assert list(kept_values()) == sorted(world_classes())


@pytest.mark.parametrize("name", WORLDS)
def test_the_kept_values_are_those_of_the_world(name: str) -> None:
    kept, computed = kept_values()[name], computed_values(world_classes()[name]())
    assert kept.confounded_by == computed.confounded_by
    assert kept.values == pytest.approx(computed.values, rel=1e-9, abs=1e-12, nan_ok=True)


def test_the_values_of_the_readme_are_those_that_list_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \|[^|]*\| (\S+) \| (\S+) \| (\S+) \|", readme, re.M)
    kept = kept_values()
    worlds = {name: texts for name, *texts in rows if f"{name}-v0" in kept}
    assert len(worlds) >= 18
    for name, texts in worlds.items():
        values = kept[f"{name}-v0"].values
        for text, key in zip(texts, ("promised", "j_confused", "j_causal"), strict=True):
            digits = len(text.partition(".")[2])
            assert number_text(values[key], digits) == text, f"{name} {key}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9024999999999999, "0.903"),
        (0.5025, "0.503"),
        (0.7434931506849315, "0.743"),
        (-0.0005, "-0.001"),
        (-1e-17, "0.000"),
        (1e22, "10000000000000000000000.000"),
        (float("nan"), "-"),
        (float("inf"), "inf"),
    ],
)
def test_halves_are_rounded_away_from_zero(value: float, text: str) -> None:
    assert number_text(value, 3) == text


def test_worlds_that_the_file_lacks_are_computed(
    empty_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = {name: world_classes()[name] for name in ("IceCreamShorts-v0", "BrakeLight-v0")}
    monkeypatch.setattr(catalogue_values, "world_classes", lambda: worlds)
    computed = catalogue_values.catalogue_values()
    assert list(computed) == list(worlds)
    assert computed["IceCreamShorts-v0"].values["j_confused"] == pytest.approx(0.275)

    catalogue_values.write_values()
    kept_values.cache_clear()
    assert empty_file.read_text().splitlines()[1].startswith("BrakeLight-v0,pedestrian,nan,")
    assert kept_values()["IceCreamShorts-v0"] == computed["IceCreamShorts-v0"]
