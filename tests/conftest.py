"""What the tests share: one thread of torch, and another process."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; child processes inherit it
os.environ["MPLBACKEND"] = "agg"  # no windows

Elsewhere = Callable[[Callable[..., Any]], Any]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """Calls a function of a module in another process, which has its own seed of `hash`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda function: pool.submit(function).result()
