"""The OpenAPI document and the service agree, as far as a fuzzer can tell.

The long form: ``schemathesis run http://127.0.0.1:PORT/openapi.json -H "Authorization: Bearer KEY"
--max-examples 1000``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbautoml.registry.model import Model
from tests.integration.serving.conftest import Kit, deleted_at_the_end

pytestmark = pytest.mark.integration

MAX_EXAMPLES = 25


def test_a_fuzzer_finds_nothing(kit: Kit, model: Model, tmp_path: Path) -> None:
    service = Model.deploy(kit.ws, "contract", [model])
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run"),
                f"http://127.0.0.1:{service.port}/openapi.json",
                *("--header", f"Authorization: Bearer {service.get_keys()[0]}"),
                *("--max-examples", str(MAX_EXAMPLES), "--seed", "1"),
                *("--phases", "coverage,fuzzing"),
                *("--suppress-health-check", "all", "--no-color"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            timeout=120,
        )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
