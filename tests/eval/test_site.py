"""The site: its pages open from their folder, link to one another, and ask no host for anything."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

import dosuite.eval
from dosuite.causal import InputError
from dosuite.envs import IceCreamShorts
from dosuite.eval.reports import filmstrip
from dosuite.eval.reports.page import Section, Table
from dosuite.eval.reports.report import Illustrated
from dosuite.eval.scores.metric_registry import all_metrics
from dosuite.eval.site import api_pages
from dosuite.eval.site.agent_page import agent_page
from dosuite.eval.site.build import build
from dosuite.eval.site.front_page import front_page
from dosuite.eval.site.metrics_page import mathml, metrics_page
from dosuite.eval.site.pages import Entry, Page
from dosuite.eval.site.plan import plan
from dosuite.eval.site.prose import prose
from dosuite.eval.site.reference_scores import Scores
from dosuite.eval.site.settings_text import settings_table

WORLD = "IceCreamShorts-NoOverlap"
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom")


def browsed(address: str, log: Path) -> tuple[str, list[str]]:
    """A page as Chromium has it, and the addresses that the page asked hosts for."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *OPTIONS, f"--log-net-log={log}", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    # what the browser asks on its own account has the initiator "not an origin"
    asked = re.findall(r'"initiator":"(.*?)".*"url":"(http.*?)"', log.read_text(errors="replace"))
    return done.stdout, [url for initiator, url in asked if initiator != "not an origin"]


class Links(HTMLParser):
    """What a page loads, what it links to, and the anchors it has."""

    def __init__(self, text: str):
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        if tag in LOADED and LOADED[tag] in values:
            self.loaded.append(values[LOADED[tag]])
        if tag == "a" and "href" in values:
            self.linked.append(values["href"])
        if tag == "form":
            self.linked.append(values["action"])
        self.anchors |= {values[name] for name in ("id", "name") if name in values}


def faults(folder: Path) -> Iterator[str]:
    """The links that lead nowhere, and what would be asked of a host."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    for path, links in pages.items():
        for target in links.loaded:
            if not target.startswith("data:") and not (path.parent / unquote(target)).is_file():
                yield f"{path} loads {target}"
        for target in links.linked:
            if target.startswith(("http:", "https:", "mailto:")):
                continue
            file, _, anchor = unquote(target).partition("#")
            other = (path.parent / file).resolve() if file else path
            if other not in pages or (anchor and anchor not in pages[other].anchors):
                yield f"{path} links to {target}"
    for style in folder.rglob("*.css"):
        if "url(" in style.read_text(encoding="utf-8") or "@import" in style.read_text():
            yield f"{style} loads something"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site").resolve()
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(filmstrip, "MOVING", 2)
        build(plan(WORLD.lower()), folder, told.append)
    assert told[0] == "1 of 1: IceCreamShorts-NoOverlap-v0"
    return folder


def test_every_link_resolves_and_nothing_is_asked_of_a_host(site: Path) -> None:
    assert list(faults(site)) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="nowhere.html">x</a>', "links to nowhere.html"),
        ('<a href="#nowhere">x</a>', "links to #nowhere"),
        ('<img src="https://example.org/x.png">', "loads https://example.org/x.png"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, body: str, fault: str) -> None:
    (tmp_path / "index.html").write_text(body)
    assert [text.endswith(fault) for text in faults(tmp_path)] == [True]


def test_the_page_of_a_world_has_its_numbers(site: Path) -> None:
    text = (site / f"worlds/{WORLD}-v0.html").read_text()
    for section in ("story", "graph", "numbers", "log", "twins", "settings", "sources", "code"):
        assert f'id="{section}"' in text
    assert 'gymnasium.make("dosuite.envs:IceCreamShorts-NoOverlap-v0")' in text.replace(
        "&#34;", '"'
    )
    assert (site / f"images/{WORLD}-v0.gif").read_bytes()[:3] == b"GIF"


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_finds_the_page_and_asks_no_host_for_anything(site: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    text, asked = browsed(f"{(site / 'search.html').as_uri()}?q=overlap", log)
    assert f'<a href="worlds/{WORLD}-v0.html">' in text
    assert asked == []
    assert browsed((site / f"worlds/{WORLD}-v0.html").as_uri(), log)[1] == []

    page = tmp_path / "index.html"
    page.write_text('<img src="http://nowhere.invalid/x.png">')
    assert browsed(page.as_uri(), log)[1] == ["http://nowhere.invalid/x.png"]


def test_a_name_that_no_page_has_is_refused() -> None:
    with pytest.raises(InputError, match="no page has 'icecraem' in its name"):
        plan("icecraem")


def test_a_docstring_keeps_its_drawing_and_its_labels() -> None:
    text = prose(
        "One & `two`.\nThree.\n\n    a --> b\n\nTrap: 1, since\nE > 0.\nBest: 0.\n\n- x\n- y"
    )
    assert text.labelled == {"Trap": "1, since E &gt; 0.", "Best": "0."}
    assert "<p>One &amp; <code>two</code>. Three.</p>" in text.story
    assert "<pre>a --&gt; b</pre>" in text.story
    assert "<li>x</li>\n<li>y</li>" in text.story


def test_settings_come_with_the_comments_of_their_source() -> None:
    table = settings_table(IceCreamShorts).set_index("setting")
    assert table.loc["confounding", "default"] == "0.8"
    assert table.loc["effect", "what it is"] == "of an ice cream on P(shorts)"


def test_the_search_finds_the_prose_of_a_page_and_not_its_code() -> None:
    body = '<style>x</style><p>One &amp;\n <b>two</b></p><div class="code"><p>y</p></div>'
    page = Page("a/b.html", "t", "s", body)
    assert page.found() == [Entry("t", "a/b.html", "s", "One & two")]
    assert page.root == "../"


def test_the_page_of_an_agent_has_its_settings_and_what_it_learns_from() -> None:
    page = agent_page("iql", Scores([], []), {})
    assert page.path == "agents/iql.html"
    for text in ("expectile", "inverse temperature: at 0 the policy clones", "--agent iql@observe"):
        assert text in page.body
    assert "has no runs of this agent" in page.body


def test_an_agent_of_the_reference_has_its_scores() -> None:
    table = Scores([], ["iv"]).of_agent("iv")
    assert table is not None
    scores = table.frame.set_index("environment")["CS"]
    assert scores["EncourageIV-v0"] == "1.00"


def test_every_metric_has_its_formula_on_the_page() -> None:
    pytest.importorskip("latex2mathml", reason="formulas need the extra `site`")
    page = metrics_page()
    for metric in all_metrics():
        assert f'id="{metric.name}"' in page.body
    assert page.body.count('display="block"') == sum(bool(one.formula) for one in all_metrics())
    assert "\\" not in page.body  # LaTeX that was not understood


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    with pytest.raises(InputError, match="needs latex2mathml, which is missing: pip install"):
        mathml("x")


def test_the_reference_has_every_exported_name_and_asks_no_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pdoc", reason="the reference needs the extra `site`")
    assert {"dosuite.causal.exact", "dosuite.envs"} <= set(api_pages.api_modules())
    monkeypatch.setattr(api_pages, "api_modules", lambda: ["dosuite.causal.world", "dosuite.eval"])
    made = {page.title: page for page in api_pages.api_pages()}
    found = {entry.title for entry in made["dosuite.eval"].entries}
    assert {f"dosuite.eval.{name}" for name in dosuite.eval.__all__} <= found
    for name in ("index.html", "search.html"):
        (tmp_path / name).touch()
    for page in made.values():
        file = tmp_path / page.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page.html([]), encoding="utf-8")
    (tmp_path / "style.css").touch()
    assert list(faults(tmp_path)) == []


def test_the_front_page_has_what_studies_have_found() -> None:
    verdicts = Table("study-a", pd.DataFrame({"case": ["river"], "verdict": ["supports"]}))
    part = Section("Does it? Verdict: supports", ["Result: yes."], [verdicts], figure="study-a")
    section = Section(
        "Scale?", ["A question."], [], points=[("It does not.", "By a")], parts=[part]
    )
    studies = Illustrated(section, {"study-a": b"a picture"})
    page = front_page(plan("iql"), Scores([], []), studies)
    for text in ("<strong>It does not.</strong> By a", "Result: yes.", "<td>supports</td>"):
        assert text in page.body
    assert page.files["images/study-a.png"] == b"a picture"
