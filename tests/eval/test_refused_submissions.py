"""A file that is no submission is refused in one line, and nothing that it holds is run."""

import pickle
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from refusals import refused
from submitted import Parts, parts_of, small_submission

from dosuite.eval.submissions.archive import MANIFEST, ROWS, pack
from dosuite.eval.submissions.check import NOT_RESCORED, check

Contents = dict[str, bytes]


class Bomb:
    """Writes a file as it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("results")
    return parts_of(small_submission(folder), tmp_path_factory.mktemp("parts"))


def refusal(contents: Contents, folder: Path) -> str:
    path = folder / "changed.zip"
    pack(contents, path)
    return refused(lambda: check(path, 1))


def test_equal_results_make_equal_files(honest: Parts, tmp_path: Path) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    pack(honest.contents(), one)
    pack(dict(reversed(honest.contents().items())), other)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "name", ["../evil.pt", "/evil.pt", "policies/../../evil.pt", "C:\\evil.pt", "..\\evil.pt"]
)
def test_a_path_that_leaves_the_folder(honest: Parts, tmp_path: Path, name: str) -> None:
    line = refusal({**honest.contents(), name: b""}, tmp_path)
    assert "has a member that leaves its folder" in line


@pytest.mark.parametrize("name", ["run.py", "policies/a.pkl", "policies/x.pt", "Manifest.json"])
def test_a_member_that_no_submission_has(honest: Parts, tmp_path: Path, name: str) -> None:
    assert "has a member" in refusal({**honest.contents(), name: b""}, tmp_path)


def test_a_bomb(honest: Parts, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b"0" * 10**8)
        archive.writestr(ROWS, honest.contents()[ROWS])
    assert "a submission of its size to at most" in refused(lambda: check(path, 1))


def test_a_file_cut_short_is_refused(honest: Parts, tmp_path: Path) -> None:
    path = tmp_path / "whole.zip"
    pack(honest.contents(), path)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "is no submission, or it is cut short" in refused(lambda: check(path, 1))


def test_bytes_changed_in_the_middle(honest: Parts, tmp_path: Path) -> None:
    path = tmp_path / "whole.zip"
    pack(honest.contents(), path)
    content = bytearray(path.read_bytes())
    content[200] ^= 1  # in the manifest, the first member
    path.write_bytes(content)
    assert "manifest.json cannot be read" in refused(lambda: check(path, 1))


def test_a_pickle_is_not_opened(honest: Parts, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    name = f"policies/{honest.key('naive')}.pt"
    content = pickle.dumps(Bomb(touched))
    assert "is a pickle or another file" in refusal({**honest.contents(), name: content}, tmp_path)
    assert not touched.exists()


def test_a_pickle_within_a_policy_is_not_opened(honest: Parts, tmp_path: Path) -> None:
    touched, path = tmp_path / "touched", tmp_path / "policy.pt"
    with ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(touched)))
        archive.writestr("archive/version", "3")
    key = honest.key("back-door", 0, "twin")  # no other run is to have the same policy
    changed = honest.with_policy(key, path.read_bytes())
    verdicts = [verdict for verdict in changed.checked(tmp_path) if verdict.key]
    unscored = [verdict for verdict in verdicts if verdict.status == NOT_RESCORED]
    assert [verdict.key for verdict in unscored] == [key]
    assert "is not a saved policy" in unscored[0].why
    assert not touched.exists()


def test_missing_members(honest: Parts, tmp_path: Path) -> None:
    for name in (MANIFEST, ROWS):
        contents = {each: text for each, text in honest.contents().items() if each != name}
        assert f"has no member {name}" in refusal(contents, tmp_path)


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "has another format than 1"),
        (b'{"format": 2}', "has another format than 1"),
        (b'{"format": 1}', "names no runs"),
        (b'{"format": 1, "runs": {}}', "does not say of it exactly"),
        (b'{"format": 1, "runs": {"../../a": 1}}', "which is the key of none"),
        (
            b'{"format": 1, "runs": {"%s": 1}}' % (b"a" * 20),
            "does not say of run aaaaaaaaaaaaaaaaaaaa exactly",
        ),
    ],
)
def test_a_manifest_that_is_none(honest: Parts, tmp_path: Path, manifest: bytes, line: str) -> None:
    assert line in refusal({**honest.contents(), MANIFEST: manifest}, tmp_path)


def test_rows_that_are_none(honest: Parts, tmp_path: Path) -> None:
    assert "no table of results" in refusal({**honest.contents(), ROWS: b"PAR1"}, tmp_path)
    lacking = Parts(honest.manifest, honest.rows.drop(columns="value"), honest.policies)
    assert "lacks the columns value" in refusal(lacking.contents(), tmp_path)
    texts = Parts(honest.manifest, honest.rows.assign(value="much"), honest.policies)
    assert "its column value has other things" in refusal(texts.contents(), tmp_path)
