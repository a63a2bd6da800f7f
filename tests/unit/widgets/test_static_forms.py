"""The static forms of a run: page, chart, text and the bundle that holds them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from nbautoml.domain import events as ev
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.domain.status import RunStatus
from nbautoml.services.view import view
from nbautoml.widgets.bundle import RUN_MIME, run_bundle
from nbautoml.widgets.html import ROWS, run_html
from nbautoml.widgets.points import points_of, ranked_rows
from nbautoml.widgets.small_view import MAX_BYTES, small_view
from nbautoml.widgets.style import style_sheet
from nbautoml.widgets.svg import chart_svg
from nbautoml.widgets.text import view_text

EVIL = '<script>alert("x")</script>'


class Balance(HTMLParser):
    """Checks that elements close in order, and collects tags and table cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.cells and "td" in self.open:
            self.cells[-1] += data


def parsed(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return parser


@pytest.mark.parametrize("n_trials", [0, 1, 23, 1000])
def test_page_is_well_formed_without_scripts_or_links(n_trials: int, run_with: Any) -> None:
    page = run_html(run_with(n_trials).snapshot(), now=2000.0)
    assert not {"script", "iframe", "object", "link", "img"} & parsed(page).tags
    assert not re.search(r"https?:|url\(|@import|javascript:|\son\w+=", page)


def test_page_of_a_run_without_events() -> None:
    page = run_html(RunSnapshot(run_id="AutoML_x"), now=5.0)
    assert "Waiting to start" in page
    parsed(page)


def test_everything_written_by_users_is_escaped(new_run: Any) -> None:
    run = new_run(label=EVIL, experiment=EVIL, dataset=EVIL)
    run.finish(0, 0.9, pipeline=EVIL)
    run.finish(1, None, pipeline=EVIL, error=EVIL)
    guardrail = {"name": EVIL, "description": EVIL, "details": ({EVIL: EVIL},)}
    run.add(ev.GuardrailReported(state=ev.GuardrailState.ALERTED, **guardrail))
    run.end(RunStatus.FAILED, reason=EVIL)
    page = run_html(run.snapshot(), now=2000.0)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8
    assert "script" not in parsed(page).tags


def test_page_lists_models_best_first_and_marks_the_best(new_run: Any) -> None:
    run = new_run()
    for number, score in enumerate((0.81, 0.93, 0.85)):
        run.finish(number, score, pipeline=f"Model{number}")
    cells = parsed(run_html(run.snapshot(), now=2000.0)).cells
    names = [cell for cell in cells if cell.startswith("Model")]
    assert names == ["Model1best", "Model2", "Model0"]


def test_small_is_better_for_errors(new_run: Any) -> None:
    run = new_run(task="regression", primary_metric="normalized_root_mean_squared_error")
    for number, score in enumerate((0.3, 0.1, 0.2)):
        run.finish(number, score)
    shown = view(run.snapshot(), now=2000.0)
    assert [row["n"] for row in ranked_rows(shown)] == [1, 2, 0]
    heights = [float(y) for y in re.findall(r"V([\d.]+)", chart_svg(shown))]
    start = float(re.search(r'class="best" d="M[\d.]+ ([\d.]+)', chart_svg(shown))[1])
    assert heights and heights[0] > start


def test_failed_trials_show_their_error(run_with: Any) -> None:
    page = run_html(run_with(8).snapshot(), now=2000.0)
    assert "1 iteration without a score" in page
    assert "ValueError: no rows" in page and "at line 3" not in page


def test_long_leaderboards_say_how_many_more_there_are(run_with: Any) -> None:
    page = run_html(run_with(40).snapshot(), now=2000.0)
    assert f"and {36 - ROWS} more" in page


def test_alerted_guardrails_are_open(run_with: Any) -> None:
    run = run_with(1)
    state = ev.GuardrailState.ALERTED
    run.add(ev.GuardrailReported(name="Class balance", state=state, description="Rare class."))
    page = run_html(run.snapshot(), now=2000.0)
    assert "<details open><summary>Guardrails: 1 checked, 1 alert<" in page


def test_colors_follow_the_theme_of_the_host(run_with: Any) -> None:
    page = run_html(run_with(1).snapshot(), now=2000.0)
    assert "var(--jp-layout-color0,var(--vscode-editor-background,#fff))" in page
    assert "prefers-color-scheme:dark" in page


def test_chart_has_a_point_for_every_score(run_with: Any) -> None:
    shown = small_view(run_with(300).snapshot(), now=2000.0)
    chart = chart_svg(shown)
    parsed(chart)
    dots = sum(d.count("M") for d in re.findall(r'class="dots"[^>]*d="([^"]+)"', chart))
    assert dots + chart.count("<circle") == 270
    assert chart.count("l6 6") == 30


def test_chart_is_empty_without_scores(new_run: Any) -> None:
    assert chart_svg(view(new_run().snapshot(), now=2000.0)) == ""


def test_chart_of_one_score_has_finite_places(new_run: Any) -> None:
    run = new_run(max_iterations=None)
    run.finish(0, 0.5)
    assert "nan" not in chart_svg(view(run.snapshot(), now=2000.0))


def test_one_far_outlier_does_not_flatten_the_chart(new_run: Any) -> None:
    run = new_run(task="regression", primary_metric="r2_score", max_iterations=None)
    for number in range(20):
        run.finish(number, -1.0 if number == 3 else 0.80 + number / 200)
    heights = [
        float(y) for y in re.findall(r'cy="([\d.]+)"', chart_svg(view(run.snapshot(), now=0)))
    ]
    assert len(heights) == 20
    assert max(heights) - min(heights) > 100
    assert sorted(heights)[9] < max(heights) - 40


def test_bundle_has_three_forms_and_the_workspace(run_with: Any) -> None:
    bundle = run_bundle(run_with(3).snapshot(), now=2000.0, workspace="/data/ws")
    assert set(bundle) == {RUN_MIME, "text/html", "text/plain"}
    assert bundle[RUN_MIME]["workspace"] == "/data/ws"
    assert bundle[RUN_MIME]["schema"] == 1


def test_saved_view_stays_small_with_a_thousand_trials(run_with: Any) -> None:
    run = run_with(1000)
    details = tuple({"column": f"column_{i}", "values": i} for i in range(2000))
    state = ev.GuardrailState.DONE
    run.add(ev.GuardrailReported(name="Missing", state=state, description="d", details=details))
    bundle = run_bundle(run.snapshot(), now=2000.0)
    assert len(json.dumps(bundle[RUN_MIME], separators=(",", ":"))) <= MAX_BYTES
    assert len(bundle["text/html"]) <= MAX_BYTES
    assert len(points_of(bundle[RUN_MIME])) == 1000


def test_saved_view_keeps_rows_of_what_runs_and_what_failed_last(run_with: Any) -> None:
    run = run_with(200)
    name = {"pipeline": "KNN", "family": "KNN", "params": {}, "n_folds": 5}
    run.add(ev.TrialStarted(number=200, **name))
    rows = {row["n"]: row for row in small_view(run.snapshot(), now=2000.0)["trials"]}
    assert rows[200]["status"] == "Running"
    assert rows[197]["error"] == "ValueError: no rows"
    assert len(points_of(small_view(run.snapshot(), now=2000.0))) == 201


def test_text_is_short_and_aligned(new_run: Any) -> None:
    run = new_run()
    run.finish(0, 0.81)
    run.finish(1, None, error="ValueError: no rows")
    run.end(reason="All 60 iterations are done.")
    lines = view_text(view(run.snapshot(), now=2000.0)).splitlines()
    assert lines[0].endswith("Completed")
    assert lines[2] == "classification of DEATH_EVENT: AUC_weighted, higher is better"
    assert "0.8100" in lines[5] and lines[6].endswith("Failed: ValueError: no rows")
    assert lines[4].index("AUC_weighted") + len("AUC_weighted") == lines[5].index("0.8100") + 6


def test_rules_for_tables_go_before_those_of_an_export() -> None:
    rules = style_sheet()
    assert ".nbautoml-run:not(.nbautoml) th,.nbautoml-run:not(.nbautoml) td{" in rules
    assert ".T" not in rules and ".R" not in rules
