"""The report of known rows:

what it says, that it writes all its files or none, and that it needs no network.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from dosuite.envs.pictures.graph_drawing import draw_graph
from dosuite.eval.reports import figures, report
from dosuite.eval.reports import tables as report_tables
from dosuite.eval.reports.figure_files import figure_files
from dosuite.eval.reports.latex import tabular
from dosuite.eval.reports.page import Table
from dosuite.eval.reports.rounding import number_text

ARMS = {
    "": (0.475, 0.275),
    "cold_snap": (0.135, -0.065),
    "causal_twin": (0.325, 0.515),
}  # E[pay | do(ice_cream)] by world
SEEING = (0.135, 0.615)  # E[pay | ice_cream] in the log, and what acting does in the twin
AGENTS = {  # P(ice cream) of the policy that is learned, in the world and in its twin
    ("naive", "observe"): (1.0, 1.0),
    ("bc", "observe"): (0.5, 0.5),
    ("ppo", "intervene"): (0.02, 0.98),
    ("ppo", "counterfactual"): (0.0, 1.0),
    ("causal", "exact"): (0.0, 1.0),
    ("confused", "exact"): (1.0, 1.0),
}


def runs(
    variant: str, arms: tuple[float, float], world: str, seeds: int
) -> Iterator[dict[str, object]]:
    """A row for each agent and seed in one variant of the ice cream world."""
    for (agent, regime), shares in AGENTS.items():
        for seed in range(1 if regime == "exact" else seeds):
            share = abs(shares[variant == "twin"] - (seed / 100 if agent == "ppo" else 0.0))
            who = {
                "environment": "IceCreamShorts-v0",
                "member": "",
                "variant": variant,
                "world": world,
                "agent": agent,
            }
            how = {
                "regime": regime,
                "budget": 100,
                "log_rows": 0,
                "needs": "",
                "seed": seed,
                "run": "",
                "status": "ok",
                "note": "",
                "std_error": 0.0,
                "exact": True,
            }
            best, trap = (arms[1], arms[1]) if variant == "twin" else (arms[0], arms[variant == ""])
            means = {
                "j_causal": best,
                "j_confused": trap,
                "j_best": max(arms),
                "j_worst": min(arms),
                "j_uniform": sum(arms) / 2,
            }
            value = share * arms[1] + (1 - share) * arms[0]
            believed = SEEING[1] if agent == "naive" and not world else np.nan
            known = {
                "believed": believed,
                "ice": 0.34,
                "ice_gap": 0.68,
                "ice_obs": 0.0,
                "kappa": 1.0,
                "kappa_residual": 0.0,
            }
            learns_once = agent in ("naive", "bc") and not world and variant != "control"
            pair = {"pair_std_error": 0.0, "floor": 0.445 if learns_once else np.nan}
            pair["pair_value"] = (shares[0] * 0.275 + (1 - shares[0]) * 0.475) / 2 + (
                shares[1] * 0.615 + (1 - shares[1]) * 0.135
            ) / 2
            scores = known if agent == "naive" and not world else dict.fromkeys(known, np.nan)
            yield {
                **who,
                **how,
                "value": value,
                **means,
                "j_behaviour": 0.375,
                "promised": SEEING[1],
                **pair,
                **scores,
            }


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    found = [row for world, arms in ARMS.items() for row in runs("", arms, world, 3)]
    found += [*runs("twin", SEEING, "", 3), *runs("control", ARMS[""], "", 3)]
    failed = {
        **found[0],
        "agent": "dqn",
        "status": "failed",
        "note": "needs 812 GiB",
        "value": np.nan,
        "j_causal": np.nan,
    }
    return pd.DataFrame([*found, failed]).sample(frac=1, random_state=0)


def printed(rows: pd.DataFrame) -> str:
    console = Console(file=io.StringIO(), width=100)
    report.print_tables(rows, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def tables(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        table.name: table.frame
        for part in report.report_sections(rows, report_tables.summary(rows))
        for table in part.tables
    }


def test_the_headline_lies_between_the_confused_and_the_causal_policy(rows: pd.DataFrame) -> None:
    # on average over both worlds the confused policy earns 0.445, and the causal one 0.545
    frame = report_tables.headline(rows).frame.set_index("agent")
    assert frame["IceCreamShorts"].to_dict() == {
        "bc (offline)": "-0.70 [-0.70, -0.70]",
        "naive (offline)": "0.00 [0.00, 0.00]",
        "ppo (online)": "0.92 [0.90, 0.93]",
        "ppo (intent)": "0.97 [0.93, 1.00]",
        "causal (exact)": "1.00",
        "confused (exact)": "0.00",
    }
    assert frame["won"].tolist() == ["0 of 1", "0 of 1", "1 of 1", "1 of 1", "1 of 1", "0 of 1"]


def test_the_mean_over_families_weighs_them_equally_and_has_an_interval(rows: pd.DataFrame) -> None:
    other = rows.assign(environment="GreedyCasino-v0")
    arms = other["value"].where(other["agent"] != "ppo", other["j_confused"])  # ppo is at 0 there
    both = pd.concat([rows, other.assign(value=arms)])
    table = report_tables.headline(both[(both["agent"] != "bc") | (both["environment"] > "H")])
    frame = table.frame.set_index("agent")
    assert list(frame) == ["mean", "GreedyCasino", "IceCreamShorts", "won"]
    assert frame.loc["ppo (online)", "mean"] == "0.46 [0.45, 0.47]"  # of 0.92 and 0
    assert frame.loc["causal (exact)", "mean"] == "1.00"
    assert frame.loc["bc (offline)", "mean"] == "n/a"  # it was run in one family only
    bold = pd.DataFrame(table.best(), table.frame["agent"], list(table.frame))
    assert list(bold.index[bold["IceCreamShorts"]]) == ["ppo (intent)"]


def test_tables_in_latex_have_true_minus_signs_numbers_on_the_right_and_no_repeated_names() -> None:
    lines = [
        ["A_1 & B", "x (offline)", "-0.48 [-0.50, -0.41]", "50%"],
        ["A_1 & B", "y (online)", "0.25 [0.20, 1,000.30]", "#{\\}~^"],
        ["A_1 & B", "causal (exact)", "1.00", ""],
        ["C", "x (offline)", "-", "-1 is a text here"],
    ]
    frame = pd.DataFrame(lines, columns=["environment", "agent", "CS", "note"])
    text = tabular(Table("t", frame, grouped=True, better={"CS": 1}))
    assert text.splitlines() == [
        r"\begin{tabular}{lrl}",
        r"\toprule",
        r"agent & CS & note \\",
        r"\midrule",
        r"\multicolumn{3}{l}{\textit{A\_1 \& B}} \\",
        r"x (offline) & $-$0.48 [$-$0.50, $-$0.41] & 50\% \\",
        r"y (online) & \textbf{0.25} [0.20, 1,000.30] & "
        r"\#\{\textbackslash{}\}\textasciitilde{}\textasciicircum{} \\",
        r"causal (exact) & 1.00 &  \\",
        r"\addlinespace",
        r"\multicolumn{3}{l}{\textit{C}} \\",
        r"x (offline) & -- & -1 is a text here \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_the_verdict_says_who_wins_both_twins_and_what_it_was_given(rows: pd.DataFrame) -> None:
    assert report_tables.winners(rows) == [
        "Offline: nobody wins a pair.",
        "Online: ppo wins 1 of 1 pairs.",
        "Intent: ppo wins 1 of 1 pairs.",
    ]
    given = rows.assign(needs=np.where(rows["regime"] == "intervene", "graph", ""))
    assert "Online, graph: ppo wins 1 of 1 pairs." in report_tables.winners(given)


def test_the_tables_hold_the_known_values(rows: pd.DataFrame) -> None:
    found = tables(rows)
    naive = found["scores"].set_index("agent").loc["naive (offline)"]
    assert naive["J"] == "0.275 [0.275, 0.275]"
    assert naive["CS_chance"] == "-1.00 [-1.00, -1.00]"
    assert found["shifts"].set_index("agent").loc["confused (exact)", "R_mean"] == "0.50"
    assert found["belief"].set_index("agent")["delusion"].to_dict() == {
        "naive (offline)": "0.340 [0.340, 0.340]",
        "confused (exact)": "0.340",
    }
    assert found["calibration"]["kappa"].tolist() == ["1.00 [1.00, 1.00]"]
    assert found["notes"][["agent", "status", "note", "runs"]].to_numpy().tolist() == [
        ["dqn (offline)", "failed", "needs 812 GiB", "1"]
    ]


def test_negative_controls_pass_by_normalised_regret_and_are_in_no_causal_score(
    rows: pd.DataFrame,
) -> None:
    scores = report_tables.summary(rows)
    assert not ((scores["variant"] == "control") & (scores["metric"] == "causal_score")).any()
    passes = tables(rows)["controls"].set_index("agent")["passes"]
    assert passes[["ppo (intent)", "causal (exact)"]].tolist() == ["yes", "yes"]
    assert passes[["bc (offline)", "naive (offline)"]].tolist() == ["no", "no"]


def test_the_order_of_rows_does_not_matter(rows: pd.DataFrame) -> None:
    assert printed(rows) == printed(rows[::-1])


def test_an_estimate_is_labelled_as_one(rows: pd.DataFrame) -> None:
    assert (
        "0.275 [0.275, 0.275] (estimated, se 0.002)"
        in tables(rows.assign(std_error=0.002, exact=False))["scores"]["J"].tolist()
    )


def test_several_budgets_are_compared_and_the_largest_is_reported(rows: pd.DataFrame) -> None:
    both = pd.concat([rows, rows[rows["regime"] == "intervene"].assign(budget=10, value=0.375)])
    assert tables(both)["scale"].columns.tolist() == ["environment", "agent", "10", "100"]
    assert report_tables.headline(both).frame.equals(report_tables.headline(rows).frame)


def test_the_terminal_is_never_wider_than_a_hundred_columns(rows: pd.DataFrame) -> None:
    lines = printed(rows).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("ppo (online)") and "0.92 [0.90, 0.93]" in line for line in lines)


def test_write_makes_all_files_and_a_page_that_needs_no_network(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    page = report.write_report(rows, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert not [
        word
        for word in ("http:", "https:", 'src="/', "@import", "<script", "<link", "url(")
        if word in text
    ]
    assert text.count("data:image/svg+xml;base64,") == len(report.FIGURES)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    kinds = ("png", "svg", "pdf")
    assert {f"figures/{name}.{kind}" for name in report.FIGURES for kind in kinds} < files
    names = (
        "headline",
        "scores",
        "controls",
        "shifts",
        "belief",
        "calibration",
        "notes",
        "budgets",
    )
    assert {f"tables/{name}.{kind}" for name in names for kind in ("md", "tex")} < files
    assert r"\toprule" in (tmp_path / "tables/headline.tex").read_text()
    assert not [name for name in files if "/." in f"/{name}"]


def test_without_twins_and_shifts_there_is_no_empty_table(rows: pd.DataFrame) -> None:
    alone = rows[(rows["variant"] == "") & (rows["world"] == "")].assign(floor=np.nan)
    found = tables(alone)
    assert not {"headline", "shifts"} & set(found)
    assert list(found["scores"]) == ["environment", "agent", "J", "CS", "CS_chance"]


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_a_figure_is_the_same_file_each_time(rows: pd.DataFrame, kind: str) -> None:
    one, other = (figure_files(figures.belief_panels(rows), "belief") for _ in range(2))
    assert one[f"belief.{kind}"] == other[f"belief.{kind}"]


@pytest.mark.parametrize(("value", "ends"), [(0.275, "neither"), (0.9, "min"), (-0.9, "max")])
def test_a_colour_bar_marks_regrets_beyond_its_scale(
    rows: pd.DataFrame, value: float, ends: str
) -> None:
    is_cold = (rows["agent"] == "naive") & (rows["world"] == "heat_wave")
    shifted = rows[rows["world"] == "cold_snap"].assign(world="heat_wave", j_best=0.475)
    shifted = shifted.assign(j_worst=0.0, value=value)
    figure = figures.regret_heatmaps(pd.concat([rows[~is_cold], shifted]))
    bars = [axes for axes in figure.axes if not axes.images and axes.get_xlabel()]
    assert [bar._colorbar.extend for bar in bars] == [ends]  # type: ignore[attr-defined]
    assert "shifted world" in figure.get_supxlabel()


def test_a_belief_is_drawn_with_its_distance_to_what_is_earned(rows: pd.DataFrame) -> None:
    axes = figures.belief_panels(rows).axes[0]
    assert [text.get_text() for text in axes.texts] == ["+0.340"]
    known = rows["believed"].mask(rows["believed"].notna(), rows["value"] + 1e-15)
    right = rows[rows["agent"] == "naive"].assign(believed=known)
    axes = figures.belief_panels(right).axes[0]
    assert np.ptp(axes.get_xlim()) > 0.01, "a difference of rounding must not fill the panel"


def test_nothing_is_written_when_rendering_fails(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(rows: pd.DataFrame) -> None:
        raise MemoryError

    monkeypatch.setitem(report.FIGURES, "belief", fail)
    with pytest.raises(MemoryError):
        report.write_report(rows, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_no_half(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*paths: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(report, "_render", lambda *_: {"report.html": b"page"})
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        report.write_report(rows, tmp_path)
    assert not list(tmp_path.iterdir())


def test_failed_runs_alone_still_make_a_report(rows: pd.DataFrame, tmp_path: Path) -> None:
    assert "needs 812 GiB" in report.write_report(
        rows[rows["status"] == "failed"], tmp_path
    ).read_text(encoding="utf-8")


def test_a_graph_is_drawn_with_every_variable() -> None:
    graph = nx.DiGraph(
        [
            ("heat", "ice_cream"),
            ("heat", "shorts"),
            ("ice_cream", "shorts"),
            ("ice_cream", "pay"),
            ("shorts", "pay"),
        ]
    )
    roles = {"heat": "latent", "ice_cream": "action", "shorts": "logged", "pay": "reward"}
    nx.set_node_attributes(graph, roles, "role")
    (axes,) = draw_graph(graph).axes
    assert {text.get_text() for text in axes.texts} > set(roles)


def test_a_report_rounds_as_the_list_of_worlds_does() -> None:
    exact = {"iqm": 0.9025 - 1e-16, "low": np.nan, "high": np.nan, "regime": "exact"}
    assert report_tables._text(exact, 3) == number_text(0.9025, 3) == "0.903"
    assert report_tables._text(exact | {"iqm": -0.0004}, 3) == "0.000"
