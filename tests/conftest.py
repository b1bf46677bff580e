"""What the tests share: one thread of torch, and another process."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from typing import Any
from zlib import crc32

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; child processes inherit it
os.environ["MPLBACKEND"] = "agg"  # no windows

SHARE = 5  # one long law in so many is checked on each day


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `pytest --every-world` run the long laws on every world."""
    parser.addoption(
        "--every-world",
        action="store_true",
        help="run the long laws on every world, and not on this day's fifth of them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Fix the day once, for all the processes that run tests."""
    config.addinivalue_line(
        "markers", f"long: a law that is checked on one world in {SHARE}, on others each day"
    )
    if not hasattr(config.option, "day"):
        config.option.day = date.today().toordinal()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long laws of the worlds whose turn it is not."""
    if config.option.every_world:
        return
    out = [
        item
        for item in items
        if item.get_closest_marker("long")
        and crc32(item.nodeid.encode()) % SHARE != config.option.day % SHARE
    ]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]


Elsewhere = Callable[[Callable[..., Any]], Any]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """Calls a function of a module in another process, which has its own seed of `hash`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda function: pool.submit(function).result()
