"""The content hash of a log covers every column."""

from dosuite.envs import collect, make_model


def test_a_change_of_any_column_changes_the_hash() -> None:
    log = collect(make_model("SimpsonClinic-v0"), 5, 0, "mixed")
    fingerprints = dict.fromkeys(log.columns, "as it was")
    hashes = {log.hash_of({**fingerprints, name: "changed"}) for name in fingerprints}
    assert len(hashes | {log.hash_of(fingerprints)}) == len(fingerprints) + 1
