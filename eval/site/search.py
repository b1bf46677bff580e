"""The search: one page, with what all pages say in it, so that it works from a folder."""

import json
from collections.abc import Sequence

from markupsafe import Markup

from .pages import Entry, Page, rendered


def search_page(entries: Sequence[Entry]) -> Page:
    """The page that finds entries by words; a form on every page asks it (`search.html?q=...`)."""
    index = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    safe = Markup(index.replace("<", "\\u003c"))  # nothing in it ends the element
    return Page("search.html", "Search", "", rendered("search.html", index=safe))
