"""The imports of the house as a graph: `python tests/support/draw_imports.py` prints them by room.

A *floor* is one of the four folders at the root. A *room* is a folder of a floor, or a file that
lies in the floor itself. Imports in function bodies and under TYPE_CHECKING count.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[2]

# Lowest first: a floor imports from itself and from the floors before it.
FLOORS = ("causal", "envs", "agents", "eval")

# Lowest first: a room imports from itself and from the rooms of its floor before it. Rooms in one
# line of text stand side by side: none of them imports from another.
ROOMS = {
    "causal": [
        "errors tolerances",
        "arrays counts",
        "graphs",
        "model",
        "exact",
        "identification",
        "partial_identification",
        "world",
    ],
    "envs": [
        "files child settings trust regimes spaces rollouts",
        "observations",
        "user_files",
        "plugins",
        "pictures",
        "opaque_world",
        "worlds",
        "registry",
        "gym",
        "logs",
        "wrappers populations",
    ],
    "agents": [
        "policy sources summaries",
        "agent",
        "settings",
        "points",
        "networks",
        "tabular",
        "amortised",
        "offline",
        "online",
        "archives",
        "saving references user_function normalisation",
        "exported_policy",
        "user_policy",
        "registry",
    ],
    "eval": [
        "scores",
        "runs",
        "reports submissions",
        "claims",
        "cards leaderboard",
        "studies",
        "bench site",
        "cli",
    ],
}

Graph = Mapping[str, set[str]]  # the modules that each module imports, without `dosuite.`


def import_graph(root: Path = ROOT) -> Graph:
    """The imports between the modules of the four floors; a package is its `__init__.py`."""
    files = {
        _module_of(path, root): path
        for floor in FLOORS
        for path in sorted((root / floor).rglob("*.py"))
    }
    return {module: _imports_of(module, path, files) - {module} for module, path in files.items()}


def circles(graph: Graph) -> list[list[str]]:
    """The groups of modules that import one another, directly or by way of others."""
    components = nx.strongly_connected_components(_as_digraph(graph))
    return sorted(sorted(component) for component in components if len(component) > 1)


def arrows_between_floors(graph: Graph) -> list[tuple[str, str]]:
    """The imports of a higher floor by a lower one, as (importer, imported)."""
    return [
        (importer, imported)
        for importer, imported in _arrows(graph)
        if FLOORS.index(_floor(imported)) > FLOORS.index(_floor(importer))
    ]


def arrows_between_rooms(graph: Graph) -> list[tuple[str, str]]:
    """The imports within a floor that go to a higher room or to one on the same level.

    The floor's own `__init__.py` is above all its rooms.
    """
    upward = []
    for importer, imported in _arrows(graph):
        one, other = room_of(importer), room_of(imported)
        if _floor(importer) == _floor(imported) and one != other and level(one) <= level(other):
            upward.append((importer, imported))
    return upward


def rooms_without_level(graph: Graph) -> list[str]:
    """The rooms that ROOMS does not name."""
    rooms = {room_of(module) for module in graph} - set(FLOORS)
    named = {
        f"{floor}.{name}" for floor in FLOORS for line in ROOMS[floor] for name in line.split()
    }
    return sorted(rooms - named)


def room_of(module: str) -> str:
    """`envs.logs` for `envs.logs.collect`; a floor's own `__init__` is the floor."""
    return ".".join(module.split(".")[:2])


def level(room: str) -> int:
    """The level of a room in its floor, 0 the lowest."""
    floor, _, name = room.partition(".")
    for number, line in enumerate(ROOMS[floor]):
        if name in line.split():
            return number
    return len(ROOMS[floor])


def drawing(graph: Graph) -> str:
    """The imports between rooms as text: floors and rooms from top to bottom.

    Each line names a room, the number of its files, and the rooms that it imports from.
    """
    imports: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    for module, others in graph.items():
        sizes[room_of(module)] += 1
        imports[room_of(module)] |= {room_of(other) for other in others}
    lines = []
    for floor in reversed(FLOORS):
        rooms = [room for room in imports if _floor(room) == floor]
        lines.append(floor)
        for room in sorted(rooms, key=lambda room: (-level(room), room)):
            name = room.partition(".")[2] or "(package)"
            targets = _in_order(imports[room] - {room}, floor)
            lines.append(f"  {name:<24}{sizes[room]:>3}  -> {targets}")
        lines.append("")
    return "\n".join(lines)


def _in_order(rooms: Iterable[str], floor: str) -> str:
    """The names of rooms from top to bottom, those of other floors with their floor."""
    ordered = sorted(rooms, key=lambda room: (-FLOORS.index(_floor(room)), -level(room), room))
    names = [room.removeprefix(f"{floor}.") for room in ordered]
    return ", ".join(names) or "nothing"


def _module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports_of(module: str, path: Path, files: Mapping[str, Path]) -> set[str]:
    """The modules that a file imports, wherever in the file the import stands."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imports |= {alias.name.removeprefix("dosuite.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = _source_of(node, package)
            # `from .room import name` imports the module `room.name` if there is one
            for alias in node.names:
                member = f"{source}.{alias.name}".lstrip(".")
                imports.add(member if member in files else source)
    return imports & set(files)


def _source_of(node: ast.ImportFrom, package: str) -> str:
    """The module after `from`, without `dosuite.`; the empty text for `dosuite` itself."""
    if node.level == 0:
        source = node.module or ""
        return "" if source == "dosuite" else source.removeprefix("dosuite.")
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _arrows(graph: Graph) -> list[tuple[str, str]]:
    return [(importer, imported) for importer in graph for imported in sorted(graph[importer])]


def _floor(module: str) -> str:
    return module.partition(".")[0]


def _as_digraph(graph: Graph) -> "nx.DiGraph[str]":
    return nx.DiGraph(_arrows(graph))


if __name__ == "__main__":
    print(drawing(import_graph()))
