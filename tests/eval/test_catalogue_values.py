"""The reference values that are kept in a file: complete, and equal to what is computed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dosuite.envs import world_classes
from dosuite.eval.claims import catalogue_values
from dosuite.eval.claims.catalogue_values import computed_values, kept_values

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
