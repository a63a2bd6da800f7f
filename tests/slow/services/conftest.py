from tests.unit.services.conftest import own_home

__all__ = ["own_home"]
