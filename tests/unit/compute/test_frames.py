from __future__ import annotations

import pytest

from nbautoml.compute.frames import FrameReader, Kind, encode


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_survive_any_cut(step: int) -> None:
    sent = [(Kind.MESSAGE, b"a" * 10), (Kind.MESSAGE, b""), (Kind.DONE, b"value")]
    data = b"".join(encode(*frame) for frame in sent)
    reader = FrameReader()

    found = [
        frame
        for start in range(0, len(data), step)
        for frame in reader.feed(data[start : start + step])
    ]

    assert found == sent


def test_unknown_letter_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not a valid Kind"):
        list(FrameReader().feed(b"?" + bytes(8)))
