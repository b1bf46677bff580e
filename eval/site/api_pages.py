"""The reference of what programs import, written by pdoc.

The templates `module.html.jinja2` and `custom.css` of this folder are pdoc's hooks: a way back to
the site, and its colours.
"""

import inspect
import re
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from .extra import from_extra
from .pages import FOLDER, Entry, Page, rendered
from .prose import inline

_ANCHOR = re.compile(r'id="([^"]+)"')
_LINK = re.compile(r'<a href="#([^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
FLOORS = ("dosuite.causal", "dosuite.envs", "dosuite.agents", "dosuite.eval")


def api_modules() -> list[str]:
    """The packages that say what they export, each floor before its rooms."""
    names = []
    for floor in FLOORS:
        inside = iter_modules(import_module(floor).__path__, f"{floor}.")
        rooms = [module.name for module in inside if module.ispkg]
        names += [name for name in (floor, *rooms) if hasattr(import_module(name), "__all__")]
    return names


def api_pages() -> Iterator[Page]:
    """A page for each of these packages, and last the list of them.

    Raises InputError if pdoc is missing.
    """
    from_extra("pdoc")
    render, doc = from_extra("pdoc.render"), from_extra("pdoc.doc")
    render.configure(
        docformat="markdown", show_source=False, search=False, template_directory=FOLDER
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # annotations that only type checkers can read
        modules = {name: doc.Module.from_name(name) for name in api_modules()}
        for name, module in modules.items():
            yield _page(name, module, render.html_module(module, modules))
    body = rendered("api.html", modules={name: inline(_about(name)) for name in modules})
    yield Page("api/index.html", "API", "What programs import.", body)


def _page(name: str, module: Any, html: str) -> Page:
    path = f"{_path(name)}.html"
    entries = tuple(_entries(name, path, module.members))
    return Page(path, name, _about(name), _alive(html), entries=entries, is_whole=True)


def _alive(html: str) -> str:
    """HTML without the links within the page that lead nowhere, as some of pdoc's do."""
    anchors = set(_ANCHOR.findall(html))
    return _LINK.sub(lambda link: link[0] if link[1] in anchors else link[2], html)


def _path(name: str) -> str:
    return f"api/{name.replace('.', '/')}"


def _entries(name: str, path: str, members: Mapping[str, Any]) -> Iterator[Entry]:
    """What the search finds: every documented name of a package."""
    for member in members.values():
        words = " ".join(member.docstring.split())
        summary = inspect.cleandoc(member.docstring).partition("\n")[0]
        yield Entry(
            f"{name}.{member.fullname.rpartition('.')[2]}",
            f"{path}#{member.qualname}",
            summary,
            words,
        )


def _about(name: str) -> str:
    """The first line of the docstring of a package."""
    return (inspect.getdoc(import_module(name)) or "").partition("\n")[0]
