"""Seeded mutations of bytes and texts, and the cases that are made with them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Rng = np.random.Generator

NUMBERS = (b"\0" * 8, b"\xff" * 8, *(np.float64(x).tobytes() for x in (np.nan, np.inf, -1e308)))
SIGNS = (
    *("->", "<->", "<-", "--", ";", "\n", ",", '"', "\\", "{", "}", "[", "]", "=", ":", "#", "//"),
    *("/*", "*/", "\0", "\ud800", "\udfff", "\u202e", "\u2028", "\ufeff", "é", "🙂", "←", "o->"),
    *("nan", "inf", "-inf", "1e999", "-1", "9" * 30, "0x10", "1_0", "٣", "True", "None", "'", " "),
    *("=1+1", "%s", "{0}", "../", "\r", "\t", "@", "|", "x", "a", "0"),
)


@dataclass
class Case:
    """One input, and the call that takes it.

    `run` returns "equal" if it was accepted as what the original means, "other" if as another
    valid input, else what is wrong with it; it raises InputError if the input is refused."""

    content: bytes  # the input as it can be kept in a file
    run: Callable[[], str]
    suffix: str = ".txt"


Maker = Callable[[Rng], Case]


def mutated_bytes(rng: Rng, data: bytes, other: bytes) -> bytes:
    """The data after one to three mutations; `other` is a valid file to splice with."""
    kinds = (_flip, _flip, _flips, _truncate, _insert, _delete, _number, _repeat, _append)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.3 else 1):
        if rng.random() < 0.08:
            cut, start = _place(rng, data), _place(rng, other)
            data = data[:cut] + other[start:]
        else:
            data = kinds[rng.integers(len(kinds))](rng, data)
    return data


def mutated_text(rng: Rng, text: str, other: str) -> str:
    """The text after one to four mutations; `other` is a valid text to splice with."""
    for _ in range(int(rng.integers(1, 5))):
        start = int(rng.integers(len(text) + 1))
        end = min(len(text), start + int(rng.integers(1, 6)))
        sign = SIGNS[rng.integers(len(SIGNS))]
        choice = int(rng.integers(10))
        if choice < 4:
            text = text[:start] + sign + text[start:]
        elif choice == 4:
            text = text[:start] + text[end:]
        elif choice == 5:
            text = text[:start] + sign + text[end:]
        elif choice == 6:
            text = text[:start] + other[int(rng.integers(len(other) + 1)) :]
        elif choice == 7:
            text = text[:start] + text[start:end] * int(rng.integers(2, 50)) + text[end:]
        elif choice == 8:
            text = text[:start]
        elif rng.random() < 0.2:
            text = text[:start] + sign * 3000 + text[start:]
        else:
            text = text[:start] + text[start:end].swapcase() + text[end:]
    return text


def _place(rng: Rng, data: bytes) -> int:
    return int(rng.integers(len(data) + 1))


def _flip(rng: Rng, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _flips(rng: Rng, data: bytes) -> bytes:
    for _ in range(int(rng.integers(2, 40))):
        data = _flip(rng, data)
    return data


def _truncate(rng: Rng, data: bytes) -> bytes:
    return data[: _place(rng, data)] if rng.random() < 0.9 else b""


def _insert(rng: Rng, data: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + rng.bytes(int(rng.integers(1, 64))) + data[place:]


def _delete(rng: Rng, data: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + data[place + int(rng.integers(1, 64)) :]


def _number(rng: Rng, data: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + NUMBERS[rng.integers(len(NUMBERS))] + data[place + 8 :]


def _repeat(rng: Rng, data: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + data[place : place + 512] * 2 + data[place + 512 :]


def _append(rng: Rng, data: bytes) -> bytes:
    more = rng.bytes(int(rng.integers(1, 256)))
    return more + data if rng.random() < 0.5 else data + more
