"""A small share of the two processes: threads that do the same runs, or write the same log."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from dosuite.envs import Log, collect, load_latents, make_model
from dosuite.eval import Run, execute


def test_the_same_runs_at_once_give_the_same_rows(tmp_path: Path) -> None:
    runs = [Run("IceCreamShorts-v0", "naive", "observe", 50, seed) for seed in range(4)]
    alone = execute(runs, tmp_path / "alone", 1, quiet=True)
    with ThreadPoolExecutor(2) as threads:
        tables = list(
            threads.map(lambda _: execute(runs, tmp_path / "both", 1, quiet=True), range(2))
        )
    for rows in (*tables, pd.read_parquet(tmp_path / "both" / "results.parquet")):
        pd.testing.assert_frame_equal(rows, alone, check_exact=True)
    assert len(list((tmp_path / "both").rglob("*"))) == len(list((tmp_path / "alone").rglob("*")))


def test_a_failed_run_is_not_taken_from_the_process_that_does_it_again(tmp_path: Path) -> None:
    runs = [Run("IceCreamShorts-v0", "naive", "observe", 50, 0)]
    rows = execute(runs, tmp_path, 1, quiet=True)
    path = tmp_path / "runs" / f"{runs[0].key}.parquet"
    path.write_bytes(b"damaged")
    with ThreadPoolExecutor(2) as threads:
        tables = list(threads.map(lambda _: execute(runs, tmp_path, 1, quiet=True), range(2)))
    for table in tables:
        pd.testing.assert_frame_equal(table, rows, check_exact=True)


def test_two_logs_written_to_one_place_are_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "log.arrow"
    model = make_model("GreedyCasino-v0")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda seed: collect(model, 20, seed, path=path), range(6)))
    log = Log.load(path)
    latents = load_latents(path)
    expected = collect(model, 20, log.origin["seed"])
    for name, column in expected.latents.items():
        assert (latents[name] == column).all()
    assert {file.name for file in tmp_path.iterdir()} == {"log.arrow", "log.latents.arrow"}
