"""Results of studies, put into the package: `python -m dosuite.eval.studies.keep FOLDER...`.

Each folder is that of a study that is done. Its table and its figure become files in `results`. The
metadata of the table have its verdicts and say how it was made: the study's size, its question and
criterion as they were written before the runs, seeds, code, versions, machine, time and CPU
seconds. Results of a sketch are refused without `--sketch`, and so are those of a study whose file
has changed since.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from dosuite.causal import InputError
from dosuite.envs.files import replacing_all

from .kept import ABOUT, PLACE, Results, results_in
from .made import FILE, stints
from .study import Size


def keep(folder: Path, sketch: bool = False, place: Path = PLACE) -> Path:
    """Write the results in a folder to files of the package; return the path of the table.

    Raises InputError if the folder has no results, stale ones, or those of a sketch unless
    `sketch`.
    """
    results = results_in(folder)
    if results.size is Size.SMALL and not sketch:
        raise InputError(f"{folder} is a sketch; do the study without --small, or say --sketch")
    about = json.dumps(_about(results, folder))
    table = pa.Table.from_pandas(results.table, preserve_index=False)
    table = table.replace_schema_metadata({**table.schema.metadata, ABOUT: about.encode()})
    path = place / f"{results.study.name}.parquet"
    picture = path.with_suffix(".png")
    with replacing_all(path, picture) as temporaries:
        parquet.write_table(table, temporaries[path], compression="zstd")
        temporaries[picture].write_bytes(results.picture.read_bytes())
    return path


def _about(results: Results, folder: Path) -> dict[str, Any]:
    """How the results in a folder were made."""
    every = stints(folder)
    if not every:
        raise InputError(f"{folder} has no {FILE}; do the study again, which repeats no run")
    last = every[-1]
    work = [stint for stint in every if stint.code == last.code]  # other code made other runs
    seconds = [stint.cpu_seconds for stint in work]
    seeds = results.table["seed"].nunique() if "seed" in results.table else None
    return {
        "size": str(results.size),
        "promise": results.promise,
        "judged": results.judged,
        "seeds": seeds,
        "begun": work[0].begun,
        "last": last.begun,  # when the last process began
        "code": last.code,
        "versions": last.versions,
        "machine": last.machine,
        "cpu_seconds": round(sum(one for one in seconds if one is not None), 1),
        "killed": seconds.count(None),  # processes, whose CPU seconds are not known
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep the results in some folders; the exit code is 2 if one is refused."""
    parser = argparse.ArgumentParser(description="Put results of studies into the package.")
    parser.add_argument("folders", nargs="+", type=Path, help="folders of studies that are done")
    parser.add_argument("--sketch", action="store_true", help="keep results of --small, too")
    parser.add_argument("--to", type=Path, default=PLACE, help="the folder of the files")
    options = parser.parse_args(arguments)
    for folder in options.folders:
        try:
            path = keep(folder, options.sketch, options.to)
        except InputError as error:
            print(f"keep: {error}", file=sys.stderr)
            return 2
        print(f"{path}: {path.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
