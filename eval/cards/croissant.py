"""The Croissant file of named logs: what each file and column is, and the bias of the logs.

Source: the Croissant format 1.0 of MLCommons, and its vocabulary of responsible AI 1.0 (`rai`). The
bias statement is computed: what confounds in each world, and what it costs to believe the log.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dosuite.causal import World
from dosuite.envs import Log
from dosuite.envs.registry import world_class

from ..claims.catalogue_values import WorldValues, computed_values, kept_values
from .citations import SUITE

Node = dict[str, Any]

NAME = "dosuite-logs"
LICENSE = "https://spdx.org/licenses/MIT"
PURPOSE = (
    "Logs of decision problems in which a hidden or logged common cause of action and reward makes "
    "associations differ from effects. Each is simulated from a published structural causal model, "
    "so that every true value is known."
)
COLLECTION = (
    "Simulated. In the regime observe the behaviour policy acts, which may see hidden causes; in "
    "intervene an experimenter draws every action uniformly; in mixed the experimenter acts in a "
    "random half of the episodes. mixed-unlabelled has the rows of mixed without what says "
    "who acted, in another order. Rows are steps, and an episode is never cut."
)
USE = (
    "Training and comparing learners that act, and testing whether they learn effects or "
    "associations. Policies are to be scored in the world itself, dosuite.eval.score."
)
LIMITS = (
    "The logs are no data about people: counts of published studies set the probabilities of some "
    "worlds, and no row is a person. No conclusion about treatments, admissions or prices follows."
)
IMPACT = (
    "They show how a learner harms when it is trained on records of decisions that were made for "
    "reasons it does not see."
)
PERSONAL = "None: every row is drawn by a random number generator."
UPKEEP = (
    "Made again by anyone from a name and a seed; the package lists a hash of the content of each. "
    "A world whose numbers change has a new version, and its logs new names."
)
COLUMNS: Mapping[str, str] = {
    "episode": "the number of the episode",
    "step": "the step in the episode, from 0",
    "observation": "what a policy sees before it acts",
    "action": "the action",
    "reward": "the reward of the step",
    "next_observation": "the observation after the step, before any reset",
    "terminated": "whether the episode ended in this step",
    "truncated": "whether the episode was cut off at the horizon",
    "regime": "0 where the behaviour policy acted, 1 where an experimenter did",
    "propensity": "P(action | observation) of whoever acted, with the latents summed out",
}
TYPES = {"b": "sc:Boolean", "i": "sc:Integer", "u": "sc:Integer", "f": "sc:Float"}


class LogFile(NamedTuple):
    """What is said about a file of a log."""

    name: str  # of the log
    world: type[World]
    rows: int
    episodes: int
    columns: Mapping[str, tuple[str, int]]  # the kind of each dtype, and its numbers in a row
    file: str
    size: int  # bytes
    sha256: str

    @classmethod
    def of(cls, name: str, log: Log, path: Path) -> "LogFile":
        """The facts about a log and its Parquet file."""
        columns = {
            column: (values.dtype.kind, values.shape[1] if values.ndim > 1 else 0)
            for column, values in log.columns.items()
        }
        content = path.read_bytes()
        world = world_class(str(log.origin["world"]))
        digest = sha256(content).hexdigest()
        return cls(name, world, len(log), log.episodes, columns, path.name, len(content), digest)


def croissant(files: Sequence[LogFile]) -> Node:
    """The description of named logs as JSON-LD."""
    return {
        "@context": _context(),
        "@type": "sc:Dataset",
        "name": NAME,
        "description": PURPOSE,
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "license": LICENSE,
        "version": version("dosuite").partition(".dev")[0],
        "datePublished": "2026-11-22",
        "creator": {"@type": "sc:Organization", "name": "The dosuite maintainers"},
        "citeAs": SUITE.format(version=version("dosuite")),
        "keywords": ["causal inference", "offline reinforcement learning", "confounding"],
        "rai:dataCollection": COLLECTION,
        "rai:dataCollectionType": ["Software Collection"],
        "rai:dataCollectionMissingData": "No cell is missing but propensities that have no value.",
        "rai:dataBiases": [bias(world) for world in dict.fromkeys(file.world for file in files)],
        "rai:dataUseCases": [USE],
        "rai:dataLimitations": [LIMITS],
        "rai:dataSocialImpact": IMPACT,
        "rai:personalSensitiveInformation": [PERSONAL],
        "rai:dataReleaseMaintenancePlan": UPKEEP,
        "distribution": [_file(file) for file in files],
        "recordSet": [_record_set(file) for file in files],
    }


def bias(cls: type[World]) -> str:
    """What confounds in a world, and what it costs to believe its log; exact where it is known."""
    model = cls()
    about = values_of(cls)
    cause = about.confounded_by
    if cause in ("", "nothing"):
        sentences = [f"{cls.__name__}: no confounder of {model.action} and {model.reward}."]
    else:
        sentences = [f"{cls.__name__}: {cause} confounds {model.action} and {model.reward}."]
    values = about.values
    if not np.isnan([values[name] for name in ("promised", "j_confused", "j_causal")]).any():
        sentences.append(
            f"The log promises {values['promised']:.4g} to a policy that earns "
            f"{values['j_confused']:.4g}; the causal policy earns {values['j_causal']:.4g}."
        )
    if hidden := model.names("latent"):
        sentences.append(f"Not in the log: {', '.join(hidden)}.")
    return " ".join(sentences)


def values_of(cls: type[World]) -> WorldValues:
    """The reference values of a world, which are kept for those of the catalogue."""
    for name, values in kept_values().items():
        if world_class(name) is cls:
            return values
    return computed_values(cls())


def _file(file: LogFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": file.file,
        "name": file.file,
        "description": f"{file.rows:,} steps of {file.episodes:,} episodes.",
        "contentUrl": file.file,
        "contentSize": f"{file.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": file.sha256,
    }


def _record_set(file: LogFile) -> Node:
    fields = [
        _field(file, name, part, kind)
        for name, (kind, count) in file.columns.items()
        for part in ([f"{name}_{k}" for k in range(count)] or [name])
    ]
    return {"@type": "cr:RecordSet", "@id": file.name, "name": file.name, "field": fields}


def _field(file: LogFile, column: str, part: str, kind: str) -> Node:
    """A column of the file, which may be one of several parts of a column of the log."""
    about = COLUMNS.get(column, f"the logged variable {column} of {file.world.__name__}")
    return {
        "@type": "cr:Field",
        "@id": f"{file.name}/{part}",
        "name": part,
        "description": about,
        "dataType": TYPES[kind],
        "source": {"fileObject": {"@id": file.file}, "extract": {"column": part}},
    }


def _context() -> Node:
    """The context that the format prescribes."""
    terms = "citeAs column equivalentProperty extract field fileProperty fileObject fileSet format"
    terms += " includes isLiveDataset jsonPath key md5 parentField path recordSet references regex"
    terms += " repeated replace samplingRate separator source subField transform"
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{term: f"cr:{term}" for term in terms.split()},
        "conformsTo": "dct:conformsTo",
    }
