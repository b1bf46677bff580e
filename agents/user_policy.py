"""Policies of a user: a saved policy, a model of Stable-Baselines3, or a function in a file."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from sb3_contrib import ARS, QRDQN, TQC, CrossQ, MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from dosuite.causal import Array, InputError, NotDiscreteError
from dosuite.envs import choices
from dosuite.envs.gym.sb3 import UNIT
from dosuite.envs.plugins import named_in_file
from dosuite.envs.spaces import as_numbers
from dosuite.envs.trust import PYTHON, TORCHSCRIPT, ZIP, check_trusted
from dosuite.envs.user_files import importing_beside

from .agent import Agent
from .archives import checked_members, is_torchscript
from .exported_policy import ExportedPolicy, read_onnx, read_torchscript
from .normalisation import note_on_scales, scales_of, statistics_files, take_statistics
from .online.sb3_policies import SB3Policy, policy_of
from .policy import ContinuousPolicy, Policy
from .saving import load_policy
from .sources import Spaces
from .user_function import UserFunction

# the classes that a zip is loaded as; A2C and TRPO share the policies of PPO, and DDPG that of TD3
ALGORITHMS = (RecurrentPPO, MaskablePPO, QRDQN, TQC, CrossQ, DQN, SAC, TD3, PPO, ARS)

RUN = {".py": PYTHON, ".zip": ZIP}  # files that run code when they are opened, and how

# how often a function is asked before it is taken to be deterministic: in one batch, and alone
ASKED, ASKED_ALONE = 1024, 256


@dataclass(frozen=True)
class UserPolicyAgent(Agent):
    """Returns a user's policy, from `model.zip`, `policy.pt`, `policy.onnx` or `my_policy.py:name`.

    It learns nothing. Zips of Stable-Baselines3, TorchScript and Python files can hold code, and
    need trust (see `dosuite.envs.trust`). Raises InputError if the file is missing, is not trusted
    or holds no policy.
    """

    learns: ClassVar[tuple[str, ...]] = ("given",)
    acts_in_a_box: ClassVar[bool] = True

    where: str

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise InputError(f"there is no file {self.file}")
        if self.file.suffix not in (".py", ".zip", ".pt", ".onnx") or self.where.endswith(".py"):
            raise InputError(
                f"{self.where} is no policy: use model.zip, policy.pt, policy.onnx or file.py:name"
            )
        self._read()

    @property
    def file(self) -> Path:
        """The path, without the name of a function."""
        return Path(re.sub(r"(\.py):\w+$", r"\1", self.where))

    def learn_from(self, source: Spaces, rng: np.random.Generator) -> Policy:
        """The policy as it is. Raises InputError if it does not fit the spaces."""
        return as_policy(self._read(), source)

    def contents(self) -> bytes:
        """The bytes of the file, and of the statistics beside a zip."""
        return b"".join(file.read_bytes() for file in self._files())

    def _files(self) -> list[Path]:
        is_zip = self.file.suffix == ".zip"
        return [self.file, *(statistics_files(self.file) if is_zip else ())]

    def _read(self) -> Any:
        if self.file.suffix in RUN:  # what was read before needs trust too
            check_trusted(self.file, RUN[self.file.suffix])
        elif self.file.suffix == ".pt" and is_torchscript(self.file):
            check_trusted(self.file, TORCHSCRIPT)
        return _read(self.where, *(file.stat().st_mtime_ns for file in self._files()))


def as_policy(policy: Any, spaces: Spaces) -> Policy:
    """Convert what a user brings into a `Policy` for these spaces.

    It can be a `Policy`, an algorithm of Stable-Baselines3, the path of a file with one of them, a
    function from observations (n, ...) to actions (n,) or from one observation to one action, or an
    object with such a function as its method `predict`. Raises InputError if it is none of these
    or does not fit the spaces.
    """
    if isinstance(policy, str | Path):
        return UserPolicyAgent(str(policy)).learn(spaces)
    if isinstance(policy, BaseAlgorithm):
        _check_spaces(policy, spaces)
        brought = policy_of(policy, spaces.actions)
        if isinstance(brought, SB3Policy):
            brought.scales = scales_of(policy)
            brought.note = note_on_scales(policy)
        return brought
    if isinstance(policy, ExportedPolicy):
        return _exported(policy, spaces)
    needs_box = isinstance(spaces.actions, Box)
    if isinstance(policy, Policy):
        if isinstance(policy, ContinuousPolicy) != needs_box:
            raise InputError(f"the policy does not fit: the actions here are {spaces.actions}")
        return policy
    if callable(getattr(policy, "predict", None)):
        policy = policy.predict
    if not callable(policy) or isinstance(policy, type):
        raise InputError(
            "a policy is a Policy, a model of Stable-Baselines3 or a function, and got "
            f"{type(policy).__name__}"
        )
    if isinstance(spaces.actions, Box):
        return ContinuousFunctionPolicy(policy, spaces.actions)
    return FunctionPolicy(policy, choices(spaces.actions))


def _exported(policy: ExportedPolicy, spaces: Spaces) -> Policy:
    """The policy of a file of another library, with a note if it scores actions."""
    adapted = as_policy(policy.chooser(spaces.actions), spaces)
    sample = np.asarray(spaces.observations.sample())[None]
    try:
        adapted.note = policy.note(sample, spaces.actions)
    except Exception:  # what the file raises is said when it acts
        adapted.note = ""
    return adapted


def _check_spaces(algorithm: BaseAlgorithm, spaces: Spaces) -> None:
    """Raise InputError if a model was trained on other spaces.

    A model trained on actions in [-1, 1] fits every Box: its actions are stretched to the bounds.
    """
    pairs = (
        ("observations", algorithm.observation_space, spaces.observations),
        ("actions", algorithm.action_space, spaces.actions),
    )
    for what, trained_on, here in pairs:
        is_rescaled = what == "actions" and isinstance(here, Box) and trained_on == UNIT
        if trained_on != here and not is_rescaled:
            raise InputError(
                f"the model does not fit: its {what} are {trained_on}, and those here {here}"
            )


@lru_cache(maxsize=8)
def _read(where: str, *modified: int) -> Any:
    """What a file holds; `modified`, the time stamps, make a changed file another entry."""
    if where.endswith(".zip"):
        return _read_zip(where)
    if where.endswith(".onnx"):
        return read_onnx(where)
    if where.endswith(".pt"):
        return read_torchscript(where) if is_torchscript(where) else load_policy(where)
    return named_in_file(where)


def _read_zip(path: str) -> Any:
    """The algorithm in a zip, of the first class in ALGORITHMS with its class of policies.

    A zip does not name its algorithm. The policy class decides how it acts, and it is not trained.
    Its size is limited (see `archives`).
    """
    checked_members(path)
    try:
        with importing_beside(Path(path)), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            algorithm = _loaded(path)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{path} does not load: {type(error).__name__}: {error}; put the file that defines it "
            "beside the zip or on PYTHONPATH"
        ) from error
    except Exception as error:  # unpickling a foreign file can raise anything
        lost = [str(warning.message) for warning in warned]
        if lost := [text for text in lost if "Could not deserialize" in text]:
            cause = " ".join(lost[0].split()).replace("Exception: ", "")
            raise InputError(f"{path} does not load: {cause}") from error
        raise InputError(
            f"{path} is not a model of Stable-Baselines3 that can be read here; write it with "
            "model.save"
        ) from error
    take_statistics(algorithm, Path(path))
    return algorithm


def _loaded(path: str) -> Any:
    data, _, _ = load_from_zip_file(path, device="cpu")
    policy_class = (data or {})["policy_class"]
    kind: Any = next(
        kind for kind in ALGORITHMS if issubclass(policy_class, tuple(kind.policy_aliases.values()))
    )
    return kind.load(path, device="cpu")


class FunctionPolicy(Policy):
    """A function from observations to the numbers of actions.

    One that is random has no table of probabilities, and its value is estimated by rollouts.
    """

    def __init__(self, choose: Callable[[Any], Any], actions: int):
        self.choose = choose
        self.actions = actions
        self._function = UserFunction(choose, self._checked, f"from 0 to {actions - 1}")

    def probabilities(self, observations: Array) -> Array:
        """1 for the action that the function chooses.

        Raises InputError if it does not return one valid action for each observation, and
        NotDiscreteError if it is random.
        """
        copies = max(1, ASKED // max(1, len(observations)))
        chosen = self._function.steady(observations, copies, ASKED_ALONE)
        if chosen is None:
            raise NotDiscreteError(
                "the policy's function is random, and has no table of probabilities; ask it to act"
            )
        return np.eye(self.actions)[chosen]

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actions that the function chooses."""
        return _acts(self._function, observations)

    def _checked(self, given: Array, count: int) -> Array | None:
        if given.shape != (count,) or given.dtype.kind not in "biuf":
            return None
        is_valid = (
            (given >= 0) & (given < self.actions) & (given.astype(np.float64) % 1 == 0)
        ).all()
        return given.astype(np.int64) if is_valid else None


class ContinuousFunctionPolicy(ContinuousPolicy):
    """A function from observations to real-valued actions."""

    def __init__(self, choose: Callable[[Any], Any], actions: Box):
        self.choose = choose
        self.actions = actions
        width = float(actions.high[0]) - float(actions.low[0])
        # the actions of a network depend on the size of the batch in their last digits
        self._function = UserFunction(choose, self._checked, f"in {actions}", 1e-4 * width)

    def act(self, observations: Array, rng: np.random.Generator) -> Array:
        """The actions that the function chooses.

        Raises InputError if they are not one number within the bounds for each observation.
        """
        return _acts(self._function, observations)

    def _checked(self, given: Array, count: int) -> Array | None:
        return as_numbers(self.actions, given, (count,))


def _acts(function: UserFunction, observations: Array) -> Array:
    """The actions of a function, independent of each other if it is random."""
    chosen = function.steady(observations)
    return function.drawn(observations) if chosen is None else chosen
