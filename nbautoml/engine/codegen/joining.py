"""The code of joining members to an ensemble, and of scoring that."""

from __future__ import annotations

from nbautoml.engine.codegen.facts import ScriptFacts
from nbautoml.engine.codegen.source import Imports, assign, call_of, comment, function, give_back
from nbautoml.engine.ensemble.greedy import ROUNDS
from nbautoml.engine.ensemble.meta_learner import build_meta_learner
from nbautoml.engine.ensemble.recipe import Recipe

_ENSEMBLE = "nbautoml.engine.ensemble"


def write_joining(facts: ScriptFacts, imports: Imports) -> list[str]:
    """Return what makes one prediction of those of the members, for a part of the rows."""
    assert facts.recipe is not None
    imports.add("numpy", alias="np")
    if not facts.is_stack:
        return [_vote(imports, is_geometric=facts.is_geometric)]
    return [_settings(facts.recipe), _learner(facts, imports), _stack(facts, imports)]


def _vote(imports: Imports, *, is_geometric: bool) -> str:
    told = "Return the mean of the members' predictions for some rows, by their shares."
    answers, joined = "member[part]", "vote"
    if is_geometric:
        imports.add("nbautoml.runtime.voting", "log_shares", "share_out")
        told = "Return the product of powers of the members' predictions for some rows."
        answers, joined = "log_shares(member[part])", "share_out(vote)"
    return function(
        "predict_part",
        ["predictions", "shares", "part"],
        told,
        [
            "    vote = np.zeros_like(predictions[0][part])",
            f"    for member, share in zip(predictions, shares / {ROUNDS}, strict=True):",
            f"        vote += {answers} * np.float32(share)",
            f"    return {joined}",
        ],
    )


def _settings(recipe: Recipe) -> str:
    return "\n".join(
        [
            comment("The model on top sees so many of the heaviest members, and so many rows."),
            assign("MOST_MEMBERS", recipe.most_members),
            assign("MOST_ROWS", recipe.most_rows),
        ]
    )


def _learner(facts: ScriptFacts, imports: Imports) -> str:
    assert facts.recipe is not None
    name, params = facts.recipe.meta_learner, facts.recipe.meta_learner_params
    estimator = build_meta_learner(name, params, seed=facts.seed)
    return function(
        "generate_meta_learner_config",
        (),
        "Return the model on top of the members, not yet fitted.",
        [give_back(call_of(estimator, imports, shown=tuple(params)))],
    )


def _stack(facts: ScriptFacts, imports: Imports) -> str:
    imports.add(f"{_ENSEMBLE}.meta_learner", "fit_meta")
    imports.add("nbautoml.engine.search.book", "thin_rows")
    named = ["weight"] if facts.is_weighted else []
    lines = [
        "    heaviest = np.argsort(-shares, kind='stable')[:MOST_MEMBERS]".replace("'", '"'),
        "    chosen = heaviest[shares[heaviest] > 0]",
        "    weights = shares[chosen] / shares[chosen].sum()",
        "    members = np.stack([predictions[i] for i in chosen])",
        "    rest = np.setdiff1d(np.arange(len(y)), part)",
        "    rest = rest[thin_rows(len(rest), MOST_ROWS)]",
        "    learner = generate_meta_learner_config()",
        "    # It sees the members' vote, and how far each of them is from it.",
    ]
    if facts.is_weighted:
        lines += [
            "    counts = weight[rest]",
            "    meta = fit_meta(learner, members[:, rest], y[rest], weights, weight=counts)",
        ]
    else:
        lines.append("    meta = fit_meta(learner, members[:, rest], y[rest], weights)")
    lines.append("    return meta.predict(members[:, part], weights).astype(np.float32)")
    return function(
        "predict_part",
        ["predictions", "y", *named, "shares", "part"],
        "Return what a stack that was fitted on the other rows predicts for a part of them.",
        lines,
    )


def write_joined_metrics(facts: ScriptFacts, imports: Imports) -> list[str]:
    """Return the functions that cross-validate members and score the ensemble."""
    imports.add(f"{_ENSEMBLE}.nested", "deal_parts")
    weight = ", weight" if facts.is_weighted else ""
    counts = ", weight[valid]" if facts.is_weighted else ""
    labels = ""
    if facts.is_stack:
        labels = ", y[rows], weight[rows]" if facts.is_weighted else ", y[rows]"
    named = ["weight"] if facts.is_weighted else []
    shape = f"(len(y), {facts.n_classes})" if facts.is_classification else "len(y)"
    share = "n_seen[:, np.newaxis]" if facts.is_classification else "n_seen"
    return [
        function(
            "predict_out_of_fold",
            ["predict_fold", "X", "y", *named, "splits", "seeds"],
            "Return predictions of one member, each made without the row that it is for.",
            [
                f"    total = np.zeros({shape})",
                "    n_seen = np.zeros(len(y))",
                "    for (train, valid), seed in zip(splits, seeds, strict=True):",
                f"        total[valid] += predict_fold(X, y{weight}, train, valid, seed)",
                "        n_seen[valid] += 1",
                "    n_seen = np.maximum(n_seen, 1)",
                f"    return (total / {share}).astype(np.float32)",
            ],
        ),
        function(
            "calculate_metrics",
            ["X", "y", *named, "splits"],
            "Return the mean of each metric over the folds, of the ensemble.",
            [
                "    rows = np.unique(np.concatenate([valid for _, valid in splits]))",
                "    places = [np.searchsorted(rows, valid) for _, valid in splits]",
                "    predictions = []",
                "    for predict_fold, seeds, _ in MEMBERS:",
                f"        member = predict_out_of_fold(predict_fold, X, y{weight}, splits, seeds)",
                "        predictions.append(member[rows])",
                "    shares = np.array([shares for _, _, shares in MEMBERS])",
                "    joined = np.empty_like(predictions[0])",
                f"    for i, part in enumerate(deal_parts(places, y[rows], {facts.seed})):",
                f"        joined[part] = predict_part(predictions{labels}, shares[:, i], part)",
                "    scores = [",
                f"        score_predictions(y[valid], joined[place]{counts})",
                "        for (_, valid), place in zip(splits, places, strict=True)",
                "    ]",
                "    return mean_of_folds(scores)",
            ],
        ),
    ]
