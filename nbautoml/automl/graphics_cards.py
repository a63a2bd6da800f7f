"""Whether a run that asks for graphics cards has models that can use one."""

from __future__ import annotations

from nbautoml.automl.config import AutoMLConfig
from nbautoml.automl.resolve import choose_models
from nbautoml.engine.models.catalog import get_family
from nbautoml.errors import ConfigError


def families_for_gpu(config: AutoMLConfig) -> tuple[str, ...]:
    """Return the models of a run that can be trained on a graphics card by what is installed.

    Parameters
    ----------
    config : AutoMLConfig
        The checked settings.
    """
    values = config.values
    names = choose_models(config.task, values["allowed_models"], values["blocked_models"])
    families = [get_family(name) for name in names]
    return tuple(
        family.name
        for family in families
        if any(family.takes_gpu(params) for params in family.portfolio(config.task))
    )


def check_families(config: AutoMLConfig) -> None:
    """Refuse a run that asks for graphics cards, but could not use one.

    Raises
    ------
    ConfigError
        When none of its models can be trained there.
    """
    if not families_for_gpu(config):
        raise ConfigError(
            "enable_gpu of AutoMLConfig is True, but none of the run's models can use a graphics "
            "card here: XGBoost and LightGBM need builds with CUDA (pip install xgboost in place "
            "of xgboost-cpu), CatBoost the package catboost. Install one, allow such a model, or "
            "leave enable_gpu out."
        )
