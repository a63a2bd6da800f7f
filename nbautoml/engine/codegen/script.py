"""The code of a child run as a script: its parts in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbautoml.engine.codegen import data
from nbautoml.engine.codegen.columns import FeatureCode, write_columns, write_input
from nbautoml.engine.codegen.facts import ScriptFacts
from nbautoml.engine.codegen.joining import write_joined_metrics, write_joining
from nbautoml.engine.codegen.source import Call, Code, Imports, assign, comment, docstring
from nbautoml.engine.codegen.training import (
    MemberCode,
    TrainingCode,
    write_main,
    write_score,
    write_single_metrics,
)

_TRANSFORMATION = "generate_data_transformation_config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the code: a heading and the source under it."""

    title: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A script in parts: what it says of itself, its imports, its code, and its command line."""

    text: str
    imports: str
    code: tuple[Part, ...]
    command: str


def write_script(facts: ScriptFacts) -> str:
    """Return the source of a script that reproduces the score of a child run.

    Parameters
    ----------
    facts : ScriptFacts
        What is known of the run.
    """
    parts = write_parts(facts)
    sources = [part.source for part in parts.code]
    blocks = [docstring(parts.text, indent=0) + "\n\n" + parts.imports.rstrip()]
    return "\n\n\n".join([_joined([*blocks, sources[0]]), *sources[1:], parts.command]) + "\n"


def _joined(blocks: Sequence[str]) -> str:
    return "\n\n".join(blocks)


def write_parts(facts: ScriptFacts) -> Parts:
    """Return the parts of the code of a child run."""
    imports = Imports()
    features = FeatureCode(facts.profile, imports)
    training = TrainingCode(facts, imports)
    codes = _codes(facts)
    constants = [data.write_settings(facts, imports), data.write_aside(facts)]
    constants += [write_columns(facts.profile), *(training.seeds(code) for code in codes)]
    transformations = _transformations(features, facts, codes)
    models = [source for code in codes for source in training.write(code)]
    rows = [
        data.write_dataset(imports),
        data.write_label(facts, imports),
        data.write_select(facts, imports),
        write_input(facts.profile, imports),
        data.write_prepare(facts),
        data.write_splits(facts, imports),
    ]
    scores = write_score(facts, imports)
    if facts.recipe is not None:
        models += [*write_joining(facts, imports), _members(facts, codes)]
        scores += write_joined_metrics(facts, imports)
    else:
        scores.append(write_single_metrics(facts))
    scores.append(write_main(facts, imports, ignores_convergence=training.ignores_convergence))
    command = _command(facts, imports)
    return Parts(
        text=_text(facts),
        imports=imports.render(),
        code=(
            Part(title="What is learned from which columns", source=_joined(constants)),
            Part(title="Rows", source="\n\n\n".join(rows)),
            Part(title="Features", source="\n\n\n".join([features.mappers, *transformations])),
            Part(title="Model", source="\n\n\n".join(models)),
            Part(title="Scores", source="\n\n\n".join(scores)),
        ),
        command=command,
    )


def _codes(facts: ScriptFacts) -> list[MemberCode]:
    kinds = {member.candidate.representation.matrix for member in facts.members}
    return [
        MemberCode(
            member=member,
            suffix="" if facts.recipe is None else f"_{member.number}",
            transformation=_TRANSFORMATION
            + (f"_{member.candidate.representation.matrix}" if len(kinds) > 1 else ""),
        )
        for member in facts.members
    ]


def _transformations(
    features: FeatureCode, facts: ScriptFacts, codes: Sequence[MemberCode]
) -> list[str]:
    """Return one function for each kind of features."""
    written: dict[str, str] = {}
    for code in codes:
        if code.transformation not in written:
            representation = code.member.candidate.representation
            if len(facts.members) > 1:
                representation = representation.matrix
            written[code.transformation] = features.write(representation, code.transformation)
    return list(written.values())


def _members(facts: ScriptFacts, codes: Sequence[MemberCode]) -> str:
    members = [
        (
            Code(f"predict_fold{code.suffix}"),
            Code(f"SEEDS{code.suffix.upper()}"),
            list(code.member.shares),
        )
        for code in codes
    ]
    meaning = (
        "are 25 times the power of its probabilities" if facts.is_geometric else "add up to 25"
    )
    said = comment(
        "The members: their predictions, seeds, and shares in what predicts each part of the "
        f"rows. The shares of a part were chosen on the other parts; they {meaning}."
    )
    return f"{said}\n{assign('MEMBERS', members)}"


def _command(facts: ScriptFacts, imports: Imports) -> str:
    """Return what runs when the script is called."""
    imports.add("argparse")
    lines = [
        'if __name__ == "__main__":',
        "    parser = argparse.ArgumentParser()",
        '    parser.add_argument("--training_data", default=TRAINING_DATA)',
    ]
    calls = ["get_training_dataset(arguments.training_data)"]
    if facts.validation_data:
        lines.append('    parser.add_argument("--validation_data", default=VALIDATION_DATA)')
        calls.append("get_training_dataset(arguments.validation_data)")
    lines.append("    arguments = parser.parse_args()")
    call = Call("main", tuple(("", Code(text)) for text in calls))
    lines += [
        assign("results", call, indent=4),
        '    print(f"{PRIMARY_METRIC}: {results.pop(PRIMARY_METRIC)!r}")',
        "    for name, value in results.items():",
        '        print(f"  {name}: {value:.6g}")',
    ]
    return "\n".join(lines)


def _text_of_ensemble(facts: ScriptFacts) -> list[str]:
    """Return how the score of an ensemble comes about."""
    joined = "product, with powers" if facts.is_geometric else "mean, weighted by shares"
    way = (
        "a model on top, which is fitted on the members' predictions for the other parts"
        if facts.is_stack
        else f"the members' {joined} that were chosen on the other parts"
    )
    saved = ", ".join(f"{number}: {share:.3g}" for number, share in facts.saved_shares.items())
    return [
        "Each member is cross-validated. The rows are dealt to parts, and each part is predicted "
        f"by {way}, so that no label is known to what predicts it.",
        f"In the saved model shares were chosen on all rows: {{{saved}}}.",
    ]


def _text(facts: ScriptFacts) -> str:
    """Return what a script says of itself."""
    score = "" if facts.score is None else f" It scores {facts.metric} = {facts.score!r}."
    text = [
        f"{facts.pipeline}: the code of child run {facts.run_id}.",
        "It reads the data, splits the rows as the run did, fits on each fold, and prints the "
        f"mean of each metric over the folds.{score}",
        "Run it as it is for the workspace's dataset, or with --training_data rows.csv (or "
        ".parquet) for a file with the same columns. Every choice of the run is a line here: "
        "change one, run it again, and compare the score.",
        "nbautoml itself gives the steps that read cells and make features, the splits and the "
        "metrics: they are the run's own, so that the score is too.",
    ]
    if facts.recipe is not None:
        text += _text_of_ensemble(facts)
    unknown = sorted({fold for m in facts.members for fold, steps in m.cut.items() if not steps})
    if unknown:
        text.append(
            f"The time of the run cut fits of folds {unknown}; here they run to their end, so "
            "that scores can differ a little."
        )
    return "\n".join(text)
