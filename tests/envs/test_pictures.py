"""The laws of the pictures:

they show what happens, change nothing of it, and no agent is shown them.
"""

import subprocess
import sys
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import gymnasium
import networkx as nx
import numpy as np
import pytest
from graph_worlds import random_dag
from gymnasium.error import ResetNeeded
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from places import THROWAWAY_FILE

from dosuite.agents import Exact
from dosuite.agents.references import Causal, Confused
from dosuite.causal import InputError, World
from dosuite.envs import CausalEnv, CausalVectorEnv, make_model, world_classes
from dosuite.envs.pictures.graph_drawing import caption
from dosuite.envs.pictures.graph_layout import Layout
from dosuite.envs.pictures.lettering import FILLED
from dosuite.envs.pictures.scene import FLOOR, INK, WALL, Pixels, Scene
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval.reports.filmstrip import arranged, chosen_window, film

THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Survivors", "Gauge", "Gauge:horizon=3")
}
MODELS: dict[str, World] = {**{name: cls() for name, cls in world_classes().items()}, **THROWAWAY}
GRAPHS: dict[str, "nx.DiGraph[str]"] = {name: model.graph for name, model in MODELS.items()}
GRAPHS |= {f"random {seed}": random_dag(seed, most=8) for seed in range(10)}

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def begin(env: CausalEnv) -> list[tuple[Any, ...]]:
    """What is handed out in the first step, or two, of an episode under random actions."""
    env.action_space.seed(5)
    out: list[tuple[Any, ...]] = [env.reset(seed=5), env.step(env.action_space.sample())]
    return out if any(out[-1][2:4]) else [*out, env.step(env.action_space.sample())]


def picture(env: CausalEnv) -> Pixels:
    found = env.render()
    assert found is not None
    return found


@pytest.mark.long
@every_model
def test_pictures_have_one_size_and_follow_from_the_seed(model: World) -> None:
    env, again = (CausalEnv(model, render_mode="rgb_array") for _ in range(2))
    env.reset(seed=3)
    before = picture(env)
    assert before.dtype == np.uint8
    assert before.shape[2:] == (3,)
    assert before.shape[0] % 2 == before.shape[1] % 2 == 0
    begin(env)
    after = picture(env)
    assert after.shape == before.shape
    assert (after != before).any()
    begin(again)
    np.testing.assert_array_equal(picture(again), after)


@pytest.mark.long
@every_model
def test_being_watched_changes_nothing_of_what_is_handed_out(model: World) -> None:
    watched, unwatched = CausalEnv(model, render_mode="rgb_array"), CausalEnv(model, paired=True)
    assert (watched.observation_space, watched.action_space) == (
        unwatched.observation_space,
        unwatched.action_space,
    )
    for one, other in zip(begin(watched), begin(unwatched), strict=True):
        np.testing.assert_equal(one, other)
        assert set(one[-1]) <= set(model.names("logged"))


def test_looking_changes_nothing_of_what_follows() -> None:
    looked, alone = (
        CausalEnv("ConfoundedRiver-v0", render_mode="rgb_array"),
        CausalEnv("ConfoundedRiver-v0", paired=True),
    )
    looked.reset(seed=1)
    alone.reset(seed=1)
    for action in (1, 1, 0):
        looked.render()
        np.testing.assert_equal(looked.step(action), alone.step(action))


@pytest.mark.long
@every_model
def test_who_watches_sees_the_whole_step_and_the_one_before(model: World) -> None:
    env = CausalEnv(model, render_mode="rgb_array")
    unit = env._watched
    assert unit is not None
    env.reset(seed=1)
    first = unit.look()
    assert (first.step, set(first.now), first.past, first.before) == (
        0,
        set(model.before_action),
        {},
        {},
    )
    _, reward, *ends, info = env.step(action := env.action_space.sample())
    second = unit.look()
    assert (second.step, set(second.past), second.before) == (1, set(model.variables), {})
    assert first.now.items() <= second.past.items()
    assert info.items() <= second.past.items()
    assert second.past[model.reward] == reward
    np.testing.assert_equal(second.past[model.action], action)
    if not any(ends):
        env.step(action)
        assert unit.look().before == second.past


@every_model
def test_a_world_that_draws_itself_always_draws_the_same_size(model: World) -> None:
    env = CausalEnv(model, render_mode="rgb_array")
    unit = env._watched
    assert unit is not None
    env.reset(seed=2)
    sizes, over = set(), False
    for _ in range(6):
        _, now, past, _ = unit.look()
        scene = model.picture(now, past)
        if scene is None:
            return
        sizes.add((scene.shape, str(scene.dtype)))
        if over:
            env.reset()
        _, _, *ends, _ = env.step(env.action_space.sample())
        over = any(ends)
    ((shape, kind),) = sizes
    assert (len(shape), shape[2], kind) == (3, 3, "uint8")


@every_graph
def test_nodes_do_not_overlap_and_are_in_the_picture(graph: "nx.DiGraph[str]") -> None:
    layout, height = Layout(graph, FILLED), FILLED
    left, bottom, right, top = layout.box
    assert set(layout.places) == set(graph)
    for name, (x, y) in layout.places.items():
        assert left < x - layout.widths[name] / 2 < x + layout.widths[name] / 2 < right
        assert bottom < y - height / 2 < y + height / 2 < top
    for one, other in combinations(graph, 2):
        aside, above = np.abs(np.subtract(layout.places[one], layout.places[other]))
        assert aside > (layout.widths[one] + layout.widths[other]) / 2 or above > height
    for cause, effect in graph.edges:
        assert layout.places[cause][0] < layout.places[effect][0] or "latent" in (
            graph.nodes[cause]["role"],
            graph.nodes[effect]["role"],
        )


@pytest.mark.filterwarnings("ignore:.*there is no window")
def test_in_the_mode_human_a_window_shows_each_step_until_it_is_closed() -> None:
    shown, drawn = (
        CausalEnv("ConfoundedRiver-v0", render_mode=mode) for mode in ("human", "rgb_array")
    )
    for env in (shown, drawn):
        env.reset(seed=4)
        env.step(1)
    (image,) = pyplot.gcf().axes[0].images
    np.testing.assert_array_equal(image.get_array(), picture(drawn))
    assert shown.render() is None
    shown.close()
    shown.close()
    assert not pyplot.get_fignums()


def test_a_machine_without_windows_is_told_what_to_do() -> None:
    env = CausalEnv("IceCreamShorts-v0", render_mode="human")
    with pytest.warns(UserWarning, match='there is no window.*use render_mode="rgb_array"'):
        env.reset(seed=0)
    env.close()


def test_a_window_waits_after_each_picture_and_opens_again_if_it_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[int | str] = []
    waited: list[float] = []
    monkeypatch.setattr(FigureCanvasAgg, "required_interactive_framework", "some toolkit")
    monkeypatch.setattr(Figure, "show", lambda figure: opened.append(figure.number))
    monkeypatch.setattr(
        FigureCanvasAgg, "start_event_loop", lambda canvas, seconds: waited.append(seconds)
    )
    env = CausalEnv("IceCreamShorts-v0", render_mode="human")
    env.reset(seed=0)
    env.step(0)
    assert (len(opened), waited) == (1, [0.5, 0.5])
    pyplot.close()
    env.reset()
    assert (len(opened), len(waited)) == (2, 3)
    env.close()
    assert not pyplot.get_fignums()


class Blank(IceCreamShorts):
    """Draws itself as nobody can see it."""

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> Any:
        return np.zeros((10, 10))


def test_what_cannot_be_drawn_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match='the render_mode is "rgb_array"'):
        CausalEnv("IceCreamShorts-v0", render_mode="ansi")
    with pytest.raises(InputError, match="give the render_mode to CausalEnv"):
        CausalVectorEnv("IceCreamShorts-v0", 2, render_mode="rgb_array")
    env = CausalEnv(Blank(), render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(
        InputError,
        match=r"Blank.picture must give uint8 \(height, width, 3\), and gave float64 \(10, 10\)",
    ):
        env.render()
    with pytest.raises(ResetNeeded, match="call reset before render"):
        CausalEnv("IceCreamShorts-v0", render_mode="rgb_array").render()
    with pytest.warns(UserWarning, match="there is no picture without a render_mode"):
        assert CausalEnv("IceCreamShorts-v0").render() is None


def test_gymnasium_collects_the_pictures_of_an_episode() -> None:
    env = gymnasium.make("dosuite.envs:ConfoundedRiver-v0", render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(1)
    frames: Any = env.render()
    assert [frame.dtype for frame in frames] == [np.uint8, np.uint8]


def test_a_scene_has_its_tiles_where_they_are_put() -> None:
    scene = Scene.of_map(["#..", "..#"], {"#": WALL, ".": FLOOR})
    scene.disc(1.5, 0.5, 0.3, INK)
    scene.arrow(0.2, 1.8, 0.6, 0)
    scene.text(2.5, 0.8, "A", 0.2)
    scene.agent(1.5, 1.5)
    scene.line([(0, 2), (3, 2)])
    found = scene.pixels()
    cell = found.shape[0] // 2
    assert found.shape == (2 * cell, 3 * cell, 3)
    for (x, y), colour in {
        (0.5, 0.5): WALL,
        (2.5, 0.3): FLOOR,
        (2.5, 1.5): WALL,
        (1.5, 0.5): INK,
    }.items():
        np.testing.assert_allclose(
            found[int(y * cell), int(x * cell)] / 255, to_rgb(colour), atol=1 / 255
        )


def test_a_film_has_a_row_for_each_policy() -> None:
    model = make_model("ConfoundedRiver-v0")
    rows = film(model, model.shifted("fair"))
    env = CausalEnv(model, render_mode="rgb_array")
    env.reset(seed=0)
    height, width, _ = picture(env).shape
    assert rows.shape[0] > 2 * height
    assert rows.shape[1] >= 4 * width


@pytest.mark.parametrize("name", ["BrakeLight-v0", "IceCreamShorts-v0"])
def test_a_film_shows_steps_in_which_the_policies_differ(name: str) -> None:
    model = make_model(name)
    policies = [agent.learn(Exact(model)) for agent in (Confused(), Causal())]
    window = chosen_window(policies, model)
    assert window is not None
    assert window.text.startswith(f"Step {window.start + 1 + (window.start > 0)}:")
    head = len(caption(100, "", ""))  # of each line of text above pictures
    confused, causal = np.split(film(model, model)[head:], 2)
    assert (confused[head:] != causal[head:]).any()


def test_a_film_of_equal_policies_has_one_row_and_says_so() -> None:
    model = make_model("GreedyCasino-v0")
    policy = Causal().learn(Exact(model))
    assert chosen_window([policy, policy], model) is None


def test_a_film_of_wide_pictures_has_two_in_a_row_and_a_limit() -> None:
    pictures = [np.zeros((10, 2000, 3), np.uint8)] * 4
    assert arranged(pictures).shape == (12, 2500, 3)
    assert arranged([picture[:, :100] for picture in pictures]).shape == (10, 424, 3)


def test_who_draws_nothing_does_not_load_matplotlib() -> None:
    code = "import dosuite.envs, sys; print('matplotlib' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
