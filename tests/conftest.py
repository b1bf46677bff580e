"""What the tests share: one thread of torch, another process, and the share of the long laws."""

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; child processes inherit it
os.environ["MPLBACKEND"] = "agg"  # no windows

SHARES = 10  # a long law runs on one world in ten


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose on which worlds the long laws run."""
    parser.addoption("--every-world", action="store_true", help="run the long laws on every world")
    parser.addoption(
        "--share",
        type=int,
        choices=range(SHARES),
        help="which tenth of the worlds the long laws run on; chosen by the commit if not given",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the share once, for all the processes that run tests."""
    config.addinivalue_line("markers", f"long: a law that runs on one world in {SHARES}")
    if config.option.share is None:
        config.option.share = int(_commit() or "0", 16) % SHARES


def _commit() -> str:
    """The hash of the commit that is checked out; empty where there is no repository."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, check=False, capture_output=True, text=True
        )
    except FileNotFoundError:  # git is not installed
        return ""
    return done.stdout.strip()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long laws of the worlds that are not in the share."""
    if config.option.every_world:
        return
    left_out = {item for item in items if _is_left_out(item, config.option.share)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item, share: int) -> bool:
    is_long = item.get_closest_marker("long") is not None
    return is_long and crc32(item.name.encode()) % SHARES != share


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the share, so that the same tests can be run again."""
    if config.option.every_world:
        terminalreporter.write_line("The long laws ran on every world.")
    else:
        share = config.option.share
        terminalreporter.write_line(
            f"The long laws ran on one world in {SHARES}; to repeat them: pytest --share {share}"
        )


def pytest_collection() -> None:
    """Trust the tests' own files while modules are collected."""
    pytest_runtest_setup()


def pytest_runtest_setup() -> None:
    """Trust the files that a test writes, unless it says otherwise."""
    from dosuite.envs.trust import set_trust

    set_trust(True)


Elsewhere = Callable[[Callable[..., Any]], Any]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """Call a function of a module in another process, which has its own seed of `hash`."""
    from dosuite.envs.trust import set_trust

    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=set_trust, initargs=(True,)) as pool:
        yield lambda function: pool.submit(function).result()
