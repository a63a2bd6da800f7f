"""The code of getting rows: all of them, those that take part, and their splits."""

from __future__ import annotations

from nbautoml.engine.codegen.facts import ScriptFacts
from nbautoml.engine.codegen.source import Imports, assign, function
from nbautoml.engine.validation import ValidationKind

SPLITS_FILE = "cv_splits.npz"
"""Splits that were given as lists of rows lie beside the code under this name."""
_PATH_OF_SPLITS = f'SPLITS = Path(__file__).with_name("{SPLITS_FILE}")'
PATHS_IN_NOTEBOOK = {_PATH_OF_SPLITS: f'SPLITS = Path("{SPLITS_FILE}")'}
"""Lines of the code, and what they are in a notebook, which knows no file of its own."""


def write_settings(facts: ScriptFacts, imports: Imports) -> str:
    """Return the constants that say what is learned from which rows."""
    run = facts.run
    lines = [assign("TRAINING_DATA", facts.training_data)]
    if facts.validation_data:
        lines.append(assign("VALIDATION_DATA", facts.validation_data))
    lines += [assign("LABEL", facts.label), assign("PRIMARY_METRIC", facts.metric)]
    if run.classes is not None:
        lines.append(assign("CLASSES", list(run.classes)))
    if not facts.is_classification:
        lines.append("# Range of the labels, which normalized errors are divided by.")
        lines.append(f"Y_MIN, Y_MAX = {run.y_min!r}, {run.y_max!r}")
    for name, value in (
        ("WEIGHT_COLUMN", facts.weight_column),
        ("GROUP_COLUMN", facts.group_column),
        ("SPLIT_COLUMNS", list(facts.split_columns)),
        ("TEST_SIZE", facts.test_size),
    ):
        if value:
            lines.append(assign(name, value))
    if _has_split_file(facts):
        imports.add("pathlib", "Path")
        lines.append(_PATH_OF_SPLITS)
    lines.append("# As many threads as in the run, so that sums are rounded alike.")
    lines.append(assign("THREADS", run.threads))
    return "\n".join(lines)


def _has_split_file(facts: ScriptFacts) -> bool:
    return facts.run.kind is ValidationKind.CUSTOM and not facts.split_columns


def needs_split_file(facts: ScriptFacts) -> bool:
    """Whether the code reads splits from a file beside it."""
    return _has_split_file(facts)


def write_dataset(imports: Imports) -> str:
    """Return the function that reads rows."""
    imports.add("pandas", alias="pd")
    imports.add("nbautoml", "Dataset", "Workspace")
    return function(
        "get_training_dataset",
        ["source=TRAINING_DATA"],
        "Return the rows of a .csv or .parquet file, or of a dataset by its id.",
        [
            '    if source.endswith(".csv"):',
            "        return pd.read_csv(source)",
            '    if source.endswith(".parquet"):',
            "        return pd.read_parquet(source)",
            "    dataset = Dataset.get_by_id(Workspace.from_config(), source)",
            "    return dataset.to_pandas_dataframe()",
        ],
    )


def write_select(facts: ScriptFacts, imports: Imports) -> str:
    """Return the function that leaves out rows which took no part in the run."""
    body: list[str] = []
    if facts.test_size:
        body += _without_test(facts, imports)
    if facts.validation_data:
        body.append('    frame = pd.concat({"training": frame, "validation": validation})')
    if facts.is_classification:
        body.append("    is_used = frame[LABEL].notna()")
    else:
        imports.add("numpy", alias="np")
        body.append("    is_used = np.isfinite(read_label(frame))")
    if facts.is_weighted:
        body.append("    is_used &= frame[WEIGHT_COLUMN] > 0")
    body.append("    return frame[is_used]")
    arguments = ["frame", "validation"] if facts.validation_data else ["frame"]
    doc = "Return the rows that took part: those with a label"
    doc += " and a weight." if facts.is_weighted else "."
    return function("select_rows", arguments, doc, body)


def _without_test(facts: ScriptFacts, imports: Imports) -> list[str]:
    imports.add("nbautoml.engine.validation", "split_test_rows")
    groups = ", pd.factorize(frame[GROUP_COLUMN])[0]" if facts.group_column else ""
    return [
        "    # Rows of the final test were set aside before anything looked at them.",
        "    rows, _ = split_test_rows(",
        f'        frame[LABEL], "{facts.task.value}", TEST_SIZE, {facts.test_seed}{groups}',
        "    )",
        "    frame = frame.iloc[rows].reset_index(drop=True)",
    ]


def write_label(facts: ScriptFacts, imports: Imports) -> str:
    """Return the function that reads the label as class codes or numbers."""
    imports.add("numpy", alias="np")
    if not facts.is_classification:
        body = ["    return frame[LABEL].to_numpy(dtype=float, na_value=np.nan)"]
        if not facts.run.is_number:
            body = [
                '    adapter = InputAdapter([ColumnFormat(name=LABEL, kind="number")])',
                "    return adapter.transform(frame[[LABEL]])[LABEL].to_numpy()",
            ]
        return function("read_label", ["frame"], "Return the labels as numbers.", body)
    if facts.run.classes is None:
        body = ["    labels = frame[LABEL]", "    classes = sorted(labels.dropna().unique())"]
    else:
        body = ["    labels, classes = frame[LABEL], CLASSES"]
    body.append("    codes = {label: code for code, label in enumerate(classes)}")
    body.append("    return labels.map(codes).to_numpy(dtype=np.int64)")
    doc = "Return the labels as codes: places in the sorted classes."
    return function("read_label", ["frame"], doc, body)


def write_prepare(facts: ScriptFacts) -> str:
    """Return the function that separates features, labels and weights."""
    body = [
        "    X = generate_input_config().transform(frame[FEATURES])",
        "    y = read_label(frame)",
    ]
    body[0] = "    X = generate_input_config().transform(frame.drop(columns=NO_FEATURES))"
    if not facts.is_weighted:
        return function(
            "prepare_data",
            ["frame"],
            "Return the features as read, and the labels.",
            [*body, "    return X, y"],
        )
    training = "weight"
    if facts.validation_data:
        training = 'weight[frame.index.get_level_values(0) == "training"]'
    return function(
        "prepare_data",
        ["frame"],
        "Return the features as read, the labels, and weights whose mean is 1.",
        [
            *body,
            "    weight = frame[WEIGHT_COLUMN].to_numpy(dtype=float)",
            f"    training = {training}",
            "    weight = weight / training.max() / (training / training.max()).mean()",
            "    return X, y, weight",
        ],
    )


def write_aside(facts: ScriptFacts) -> str:
    """Return the constant that lists the columns which are no features."""
    aside = [facts.label, facts.weight_column, *facts.split_columns, facts.group_column]
    names = list(dict.fromkeys(name for name in aside if name is not None))
    return assign("NO_FEATURES", names)


def splits_need_frame(facts: ScriptFacts) -> bool:
    """Whether splits follow from more than the labels."""
    is_drawn = facts.run.kind not in (ValidationKind.GIVEN, ValidationKind.CUSTOM)
    return not is_drawn or facts.group_column is not None


def write_splits(facts: ScriptFacts, imports: Imports) -> str:
    """Return the function that gives the training and validation rows of each split."""
    kind = facts.run.kind
    if kind is ValidationKind.GIVEN:
        body = [
            '    is_valid = frame.index.get_level_values(0) == "validation"',
            "    return [(np.flatnonzero(~is_valid), np.flatnonzero(is_valid))]",
        ]
        doc = "Return the one split: the given validation data score the model."
    elif kind is ValidationKind.CUSTOM:
        doc, body = _custom(facts)
    else:
        return _drawn(facts, imports)
    imports.add("numpy", alias="np")
    return function("get_splits", ["frame"], doc, body)


def _custom(facts: ScriptFacts) -> tuple[str, list[str]]:
    if facts.split_columns:
        return "Return the splits that columns mark: 1 trains, 0 validates.", [
            "    return [",
            "        (np.flatnonzero(frame[name] == 1), np.flatnonzero(frame[name] == 0))",
            "        for name in SPLIT_COLUMNS",
            "    ]",
        ]
    return "Return the splits that were given as lists of rows.", [
        "    with np.load(SPLITS) as given:",
        "        rows = {name: np.flatnonzero(frame.index.isin(given[name])) for name in given}",
        '    return [(rows[f"train{i}"], rows[f"valid{i}"]) for i in range(len(rows) // 2)]',
    ]


def _drawn(facts: ScriptFacts, imports: Imports) -> str:
    run = facts.run
    is_folds = run.kind is ValidationKind.CROSS_VALIDATION
    name = "cross_validation_splits" if is_folds else "random_splits"
    imports.add("nbautoml.runtime.splits", name)
    named = [f"seed={facts.seed}"]
    if facts.is_classification:
        named.append("strata=y")
    body = []
    if facts.group_column:
        body.append("    groups, _ = pd.factorize(frame[GROUP_COLUMN])")
        named.append("groups=groups")
    sizes = str(run.n_folds) if is_folds else f"{run.n_folds}, {run.size!r}"
    body.append(f"    return {name}(len(y), {sizes}, {', '.join(named)})")
    doc = f"Return the training and validation rows of each fold. {run.sentence}"
    return function("get_splits", ["frame", "y"] if facts.group_column else ["y"], doc, body)
