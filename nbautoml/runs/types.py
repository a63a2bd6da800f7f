"""Which class users get for a type of run, and which work its controller does.

Both are named here as text, so that nothing above this layer is imported until it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbautoml.domain.catalog import Catalog

if TYPE_CHECKING:
    from nbautoml.runs.run import Run
    from nbautoml.runs.work import Work

RUN_CLASSES: Catalog[type[Run]] = Catalog(
    "run type",
    {
        "automl": "nbautoml.automl.automl_run:AutoMLRun",
        "automl.child": "nbautoml.automl.child_run:ChildRun",
        "automl.model_explain": "nbautoml.automl.explain_run:ExplainRun",
        "automl.model_test": "nbautoml.runs.run:Run",
    },
    "nbautoml.run_classes",
)

WORKS: Catalog[type[Work]] = Catalog(
    "kind of work",
    {
        "automl": "nbautoml.automl.driver:AutoMLWork",
        "automl.model_explain": "nbautoml.automl.explain_run:ModelExplainWork",
        "automl.model_test": "nbautoml.automl.model_test:ModelTestWork",
    },
    "nbautoml.works",
)
