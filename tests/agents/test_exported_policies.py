"""Policies in TorchScript and ONNX, as files of `run --agent` and `score`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from refusals import refused
from torch import nn

from dosuite.agents import make_agent
from dosuite.agents.exported_policy import SCORES_NOTE
from dosuite.envs.trust import set_trust
from dosuite.eval import Run, score

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
RIVER = "ConfoundedRiver-v0"  # 5 observations, 2 actions
TABLE = np.eye(2)[[0, 1, 1, 0, 1]]


class Chosen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.as_tensor(TABLE), requires_grad=False)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.table[observations].argmax(dim=1)


class Scores(Chosen):
    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.table[observations]


class Price(nn.Module):
    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return 15.0 + 0.5 * observations[:, :1].clamp(0.0, 10.0)


def scripted(module: nn.Module, path: Path) -> str:
    torch.jit.script(module).save(str(path))
    return str(path)


@pytest.mark.parametrize(("module", "note"), [(Chosen(), ""), (Scores(), SCORES_NOTE)])
def test_torchscript_is_scored_as_its_table(module: nn.Module, note: str, tmp_path: Path) -> None:
    path = scripted(module, tmp_path / "policy.pt")
    assert score(RIVER, path)["value"].tolist() == score(RIVER, TABLE)["value"].tolist()
    rows = Run(RIVER, path, "given", 1, 0).rows()
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["note"] for row in rows} == {note}


def test_torchscript_of_numbers_is_scored(tmp_path: Path) -> None:
    path = scripted(Price(), tmp_path / "policy.pt")

    def price(observations: np.ndarray) -> np.ndarray:
        return 15.0 + 0.5 * np.clip(observations[:, 0], 0.0, 10.0)

    values = score("AirlinePricing-v0", path)["value"]
    assert values.tolist() == pytest.approx(score("AirlinePricing-v0", price)["value"].tolist())


class Writes(nn.Module):
    """TorchScript can write files, which is why it needs trust."""

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        torch.save(observations, "written")
        return observations


def test_torchscript_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = scripted(Writes(), tmp_path / "policy.pt")
    torch.jit.load(path)(torch.zeros(1))
    assert (tmp_path / "written").is_file()
    (tmp_path / "written").unlink()
    set_trust(False)
    assert "policy.pt is TorchScript" in refused(lambda: score(RIVER, path))
    assert "policy.pt is TorchScript" in refused(lambda: make_agent(path))
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(("output", "note"), [("chosen", ""), ("scores", SCORES_NOTE)])
def test_onnx_is_scored_as_its_table_without_trust(output: str, note: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Gather", ["table", "observations"], ["scores"], axis=0),
        helper.make_node("ArgMax", ["scores"], ["chosen"], axis=1, keepdims=0),
    ]
    kind = kinds.FLOAT if output == "scores" else kinds.INT64
    shape = ["n", 2] if output == "scores" else ["n"]
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observations", kinds.INT64, ["n"])],
        [helper.make_tensor_value_info(output, kind, shape)],
        [onnx.numpy_helper.from_array(TABLE.astype(np.float32), "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "policy.onnx"
    path.write_bytes(model.SerializeToString())
    set_trust(False)
    assert score(RIVER, path)["value"].tolist() == score(RIVER, TABLE)["value"].tolist()
    assert {row["note"] for row in Run(RIVER, str(path), "given", 1, 0).rows()} == {note}


def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "policy.onnx"
    path.write_bytes(b"nothing")
    assert "policy.onnx does not load as ONNX" in refused(lambda: make_agent(str(path)))


def test_without_onnxruntime_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    path = tmp_path / "policy.onnx"
    path.write_bytes(b"nothing")
    assert "pip install onnxruntime" in refused(lambda: make_agent(str(path)))
