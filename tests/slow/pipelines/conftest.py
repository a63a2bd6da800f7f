from tests.unit.pipelines.conftest import *  # noqa: F403 - its fixtures
