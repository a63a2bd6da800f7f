"""What a script writes, on its way into the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbautoml.runs import script_output
from nbautoml.runs.script_output import OutputReader, failure_of, plain, tail_of
from nbautoml.runs.script_work import how_it_ended


class Log:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.texts: list[str] = []
        self.warnings: list[str] = []
        self.reader = OutputReader(file, self.texts.append, self.warnings.append)

    def write(self, content: bytes) -> None:
        with self.file.open("ab") as file:
            file.write(content)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "std_log.txt")


def test_lines_come_when_they_are_whole(log: Log) -> None:
    log.reader.read()
    log.write(b"one\ntwo\nthr")
    log.reader.read()
    assert log.texts == ["one\ntwo"]
    log.write("ée\n".encode())
    log.reader.read()
    log.reader.read()
    assert log.texts == ["one\ntwo", "thrée"]


def test_the_last_line_needs_no_end(log: Log) -> None:
    log.write(b"one\nlast")
    log.reader.read()
    log.reader.read(is_last=True)
    assert log.texts == ["one", "last"]


def test_signs_that_are_cut_in_two_are_whole_again(log: Log) -> None:
    log.write("ü".encode()[:1])
    log.reader.read()
    log.write("ü".encode()[1:] + b"\n")
    log.reader.read()
    assert log.texts == ["ü"]


def test_what_is_no_text_does_no_harm(log: Log) -> None:
    log.write(b"\xff\x00a\n")
    log.reader.read()
    assert log.texts == ["�a"]


def test_very_much_is_cut_but_the_end_is_there(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_output, "MOST_CHARS", 100)
    log.write(b"x" * 200 + b"\n")
    log.reader.read()
    log.write(b"left out\n")
    log.reader.read()
    log.write(b"the end\n")
    log.reader.read(is_last=True)
    assert len(log.warnings) == 1
    assert "user_logs/std_log.txt" in log.warnings[0]
    assert log.texts[0] == "x" * 200
    assert log.texts[-1].endswith("left out\nthe end\n")
    assert len(log.texts) == 2


def test_a_long_text_goes_in_parts(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_output, "_MOST_EVENT_CHARS", 10)
    log.write(b"a" * 25 + b"\n")
    log.reader.read()
    assert list(map(len, log.texts)) == [10, 10, 5]


def test_a_progress_bar_is_what_stands_there_in_the_end() -> None:
    assert plain("\x1b[32m 10%\r 50%\r100%\x1b[0m\ndone\r\n") == "100%\ndone\n"


def test_the_end_of_a_file_begins_with_a_line(tmp_path: Path) -> None:
    file = tmp_path / "f"
    assert tail_of(file, 5) == ""
    file.write_text("aaaa\nbb\ncc\n")
    assert tail_of(file, 8) == "bb\ncc\n"
    assert tail_of(file, 80) == "aaaa\nbb\ncc\n"


TRACE = """epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
ValueError: no rows
"""


def test_a_failure_is_told_by_the_error_and_its_traceback() -> None:
    lines = failure_of(TRACE).split("\n")
    assert lines[0] == "ValueError: no rows"
    assert lines[1:] == TRACE.strip().split("\n")[1:]


def test_of_several_tracebacks_the_last_one_counts() -> None:
    assert failure_of(TRACE + TRACE.replace("no rows", "too late")).startswith(
        "ValueError: too late"
    )


def test_a_long_traceback_is_shortened() -> None:
    middle = "".join(f"  File 'a.py', line {i}\n" for i in range(50))
    lines = failure_of(f"Traceback (most recent call last):\n{middle}KeyError: 'x'\n").split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("KeyError: 'x'", "KeyError: 'x'", 13)


def test_without_a_traceback_the_last_line_is_told() -> None:
    assert failure_of("one\nusage: train.py [-h]\n\n") == "usage: train.py [-h]"
    assert failure_of("") == ""


def test_signals_have_names() -> None:
    assert how_it_ended(-9) == (
        "The script was ended by SIGKILL, as when the machine has too little memory"
    )
    assert how_it_ended(-15) == "The script was ended by SIGTERM"
    assert how_it_ended(-250) == "The script was ended by signal 250"
