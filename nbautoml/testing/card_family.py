"""A model family for tests that asks for a graphics card, and computes on the cores anyway."""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar  # Any: an estimator of scikit-learn

from nbautoml.engine.devices import CARDS_VARIABLE, is_card
from nbautoml.engine.models._base import DataShape, FitContext, Params
from nbautoml.testing.fast_family import FastFamily

CARD_FAMILY = "nbautoml.testing.card_family:CardFamily"


class CardFamily(FastFamily):
    """It takes what it is given for a card, says which it was, and fails without one."""

    name: ClassVar[str] = "TestCard"

    def takes_gpu(self, params: Params) -> bool:
        """Whether a fit can be done on a graphics card: always."""
        del params
        return True

    def build(self, params: Params, shape: DataShape, context: FitContext) -> Any:
        """Return the estimator, not yet fitted."""
        if not is_card(context.device):
            raise RuntimeError(f"This fit was promised a graphics card, and got {context.device}.")
        sys.stdout.write(f"card {os.environ[CARDS_VARIABLE]} as {context.device}\n")
        return super().build(params, shape, context)
