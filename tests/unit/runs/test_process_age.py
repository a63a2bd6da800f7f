"""The age of a process is right to a few hundredths of a second."""

from __future__ import annotations

import subprocess
import sys
import time

SCRIPT = """
import sys, time
time.sleep(0.3)
from nbautoml.runs.process_age import process_age
print(time.time() - process_age())
"""


def test_the_age_counts_from_the_start_of_the_process() -> None:
    before = time.time()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    started = float(done.stdout)
    assert before - 0.05 <= started
    assert time.time() - started >= 0.3
