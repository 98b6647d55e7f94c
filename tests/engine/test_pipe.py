"""What may pass the pipe."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import PurePosixPath

import pytest

from localsteer.engine.pipe import PipeClosed, read_message, write_messages
from localsteer.engine.protocol import (
    Command,
    Compare,
    Course,
    DialMark,
    DialSetting,
    Event,
    Finished,
    Generate,
    Stop,
    Stopped,
    TitleMade,
    Turn,
)

DIALS = (DialSetting("mood", "/v/mood.gguf", -0.5, (4, 5), "everything"),)


@pytest.mark.parametrize(
    "message",
    [
        Stop(),
        Generate(3, (Turn("user", "hello ☃"), Turn("assistant", "hi", (1, 2), (DialMark(0, DIALS),))), DIALS),
        Finished(3, "end", "hi", (1, 2), (DialMark(0, ()),), 7, 5, 6, 30.5, 11, 512),
        Compare(3, (Turn("user", "hello"),), (DIALS, ()), course=Course(((3, 4, 1), (1, 1, 5)), sides=(DIALS, ()))),
        TitleMade(3, "A title"),
        Stopped(3),
    ],
)
def test_a_message_comes_out_as_it_went_in(message: Command | Event) -> None:
    stream = io.BytesIO()
    write_messages(stream, message)
    stream.seek(0)
    assert read_message(stream) == message


@pytest.mark.parametrize("kept", [0, 2, 4, 10])
def test_a_stream_that_ends_anywhere_is_a_closed_pipe(kept: int) -> None:
    stream = io.BytesIO()
    write_messages(stream, Stop())
    with pytest.raises(PipeClosed):
        read_message(io.BytesIO(stream.getvalue()[:kept]))


def test_nothing_but_the_protocol_can_be_sent() -> None:
    body = pickle.dumps(PurePosixPath("/"))
    with pytest.raises(pickle.UnpicklingError, match="no part of the protocol"):
        read_message(io.BytesIO(struct.pack(">I", len(body)) + body))
