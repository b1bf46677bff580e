"""A refusal in one line."""

from collections.abc import Callable

import pytest

from dosuite.causal import InputError


def refused(request: Callable[[], object]) -> str:
    """The line with which a request is refused."""
    with pytest.raises(InputError) as error:
        request()
    assert "\n" not in str(error.value)
    return str(error.value)
