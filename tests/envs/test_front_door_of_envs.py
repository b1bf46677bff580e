"""What `dosuite.envs` offers at its door, and what importing it must not load."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest
from refusals import refused

import dosuite.causal
from dosuite import envs
from dosuite.envs import make_model, opaque_worlds, world_classes

HEAVY = ("matplotlib", "minari", "pandas", "pyarrow", "stable_baselines3", "torch")


def said_by(code: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("statement", ["import dosuite.envs", "from dosuite.envs import *"])
def test_importing_envs_loads_no_heavy_library(statement: str) -> None:
    code = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    assert said_by(code) == "[]"


def test_gymnasium_finds_a_world_by_the_name_of_the_package() -> None:
    code = "import gymnasium; print(gymnasium.make('dosuite.envs:IceCreamShorts-v0').spec.id)"
    assert said_by(code) == "IceCreamShorts-v0"
    assert {*world_classes(), *opaque_worlds()} <= set(gymnasium.registry)


def test_every_class_of_the_catalogue_is_found_by_its_name() -> None:
    classes = [*world_classes().values(), *opaque_worlds().values()]
    names = [cls.__name__ for cls in classes]
    for cls in classes:
        assert cls.__name__ in dir(envs)
        if names.count(cls.__name__) == 1:
            assert getattr(envs, cls.__name__) is cls


def test_a_name_that_several_families_have_is_not_guessed() -> None:
    with pytest.raises(AttributeError, match=r"several worlds; import it from .*simpson or .*"):
        envs.Sighted  # noqa: B018


def test_every_public_name_is_there() -> None:
    late = {"BatchedVecEnv", "draw_graph", "from_minari", "to_minari"}
    assert late <= set(dir(envs))
    for name in {*envs.__all__, *late}:
        assert hasattr(envs, name)


@pytest.mark.parametrize(
    ("name", "nearest"), [("IceCreamShort", "IceCreamShorts"), ("make_modl", "make_model")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(AttributeError, match=f"has no '{name}'; did you mean '{nearest}'?"):
        getattr(envs, name)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Lipid-v0", "EncourageIV-Lipid-v0"),
        ("Lipid", "EncourageIV-Lipid-v0"),
        ("Lipids", "EncourageIV-Lipid-v0"),
        ("EncourageIV-Lipds-v0", "EncourageIV-Lipid-v0"),
        ("icecreamshorts", "IceCreamShorts-v0"),
        ("IceCreamShorts-v1", "IceCreamShorts-v0"),
    ],
)
def test_a_misspelt_world_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    message = refused(lambda: make_model(name))
    assert message == f"there is no environment {name!r}; did you mean {nearest!r}?"


def test_a_model_that_is_no_world_is_refused_with_what_to_subclass(tmp_path: Path) -> None:
    file = tmp_path / "rain.py"
    file.write_text(
        "from dosuite.causal import SCM, Bernoulli, Exactly, action, reward\n"
        "class Rain(SCM):\n"
        "    @action\n"
        "    def stay(self) -> Bernoulli:\n"
        "        return Bernoulli(0.5)\n"
        "    @reward\n"
        "    def dry(self, stay) -> Exactly:\n"
        "        return Exactly(stay)\n"
    )
    for text in (f"{file}", f"{file}:Rain"):
        assert refused(lambda text=text: make_model(text)) == (  # type: ignore[misc]
            f"{file}: Rain must subclass World, and subclasses SCM"
        )


def test_the_version_is_that_of_the_installed_package() -> None:
    version = importlib.metadata.version("dosuite")
    assert dosuite.causal.__version__ == envs.__version__ == version
