"""The Croissant file and the datasheet of named logs."""

import json
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from commands import Call

from dosuite.envs import Log, named_logs, to_pandas, world_classes
from dosuite.envs.logs.named import make_named
from dosuite.eval.cards.croissant import bias
from dosuite.eval.cards.datasheet import write_set

NAMES = ("IceCreamShorts-observe-1e3-v0", "CopycatCar-mixed-unlabelled-1e3-v0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set of two logs."""
    place = tmp_path_factory.mktemp("set")
    assert [path.name for path in write_set(NAMES, place)][2:] == ["croissant.json", "DATASHEET.md"]
    return place


def log_of(name: str) -> Log:
    return make_named(name, named_logs()[name].episodes)


def test_the_description_is_that_of_the_files(folder: Path) -> None:
    about = json.loads((folder / "croissant.json").read_text())
    for file, records, name in zip(about["distribution"], about["recordSet"], NAMES, strict=True):
        content = (folder / file["contentUrl"]).read_bytes()
        assert file["sha256"] == sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
        frame = pd.read_parquet(folder / file["contentUrl"])
        columns = [field["source"]["extract"]["column"] for field in records["field"]]
        assert columns == list(frame.columns)
        pd.testing.assert_frame_equal(frame, to_pandas(log_of(name)))


def test_the_bias_is_the_confounder_and_what_it_costs(folder: Path) -> None:
    about = json.loads((folder / "croissant.json").read_text())
    stated = about["rai:dataBiases"][0]
    assert stated == bias(world_classes()["IceCreamShorts-v0"])
    assert "heat confounds ice_cream and pay" in stated
    assert "promises 0.615 to a policy that earns 0.275; the causal policy earns 0.475" in stated
    assert stated in (folder / "DATASHEET.md").read_text()


def test_the_datasheet_names_sources_and_files(folder: Path) -> None:
    text = (folder / "DATASHEET.md").read_text()
    assert "kirk2022" in text
    assert all(name in text for name in NAMES)


@pytest.mark.filterwarnings("ignore")  # of the library
def test_the_library_of_the_format_reads_it(folder: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    data = croissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not data.metadata.issues.errors
    assert not data.metadata.issues.warnings
    rows = list(data.records(NAMES[0]))
    log = log_of(NAMES[0])
    assert len(rows) == len(log)
    assert [row[f"{NAMES[0]}/reward"] for row in rows] == log["reward"].tolist()


def test_the_command_writes_the_set(dosuite: Call, tmp_path: Path) -> None:
    assert dosuite("data", NAMES[0], "--all", "set", "--croissant")[0] == 0
    assert len(list((tmp_path / "set").iterdir())) == 3
    assert "name its folder with --all" in dosuite("data", NAMES[0], "--croissant")[2]
