from tests.unit.labserver.conftest import *  # noqa: F403 - its fixtures
