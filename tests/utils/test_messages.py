"""What error messages quote of what was passed."""

import numpy as np
import pytest

from sklearn_ser.utils._messages import short


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        b"RIFF" * 300_000,
        bytearray(1000),
        "/a/long/way" * 50,
        list(range(100_000)),
        [["nested" * 100] * 100] * 100,
        {i: [i] * 100 for i in range(1000)},
        np.zeros((300, 300)),
        Unspeakable(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_quotation_is_one_line_of_80_characters_at_most(value):
    quoted = short(value)
    assert len(quoted) <= 80
    assert "\n" not in quoted


def test_short_values_are_quoted_as_they_are():
    assert [short(value) for value in ("a.wav", b"x", 3, None, [1, 2])] == ["'a.wav'", "b'x'", "3", "None", "[1, 2]"]


def test_of_a_long_path_both_ends_are_kept():
    quoted = short("/data/" + "folder/" * 40 + "clip.wav")
    assert quoted.startswith("'/data/folder")
    assert quoted.endswith("folder/clip.wav'")
