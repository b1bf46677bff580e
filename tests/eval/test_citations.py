"""BibTeX of the sources of the worlds."""

import re

import pytest
from commands import Call

from dosuite.envs import world_classes
from dosuite.eval.cards.citations import bibtex, entries, entries_of, source_of


@pytest.mark.parametrize("world", world_classes())
def test_every_year_that_a_source_names_is_that_of_an_entry(world: str) -> None:
    cls = world_classes()[world]
    years = {re.findall(r"year = \{(\d+)", entry.text)[-1] for entry in entries_of(cls)}
    named = set(re.findall(r"\b(1[89]\d\d|20[0-2]\d)\b(?!\d)", source_of(cls)))
    assert named <= years, "add the source to eval/cards/sources.bib"


def test_every_entry_is_the_source_of_a_world() -> None:
    used = {entry.key for cls in world_classes().values() for entry in entries_of(cls)}
    assert used == {entry.key for entry in entries()}


def test_the_entries_are_whole() -> None:
    for entry in entries():
        assert entry.text.count("{") == entry.text.count("}"), entry.key
        assert "cited" not in entry.text
        for field in ("author", "title", "year"):
            assert f"{field} = {{" in entry.text, entry.key


def test_a_member_has_the_source_that_it_refers_to() -> None:
    keys = re.findall(r"^@\w+\{(\w+),", bibtex(["ProxyClinic-Chart-v0", "GreedyCasino"]), re.M)
    assert keys == ["dosuite", "bareinboim2015", "miao2018"]


def test_the_command_prints_them(dosuite: Call) -> None:
    code, out, _ = dosuite("cite", "SimpsonClinic-v0:study=Berkeley")
    assert code == 0
    assert "bickel1975" in out
    assert "there is no environment" in dosuite("cite", "Nowhere")[2]
