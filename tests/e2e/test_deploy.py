"""Deploying a model from the leaderboard of a real run, and trying it there."""

from __future__ import annotations

import json
import os
import signal

import httpx
import psutil
from playwright.sync_api import Browser, Locator, expect

from nbautoml import Webservice, Workspace
from nbautoml.services.deployments import deployment
from tests.e2e.driver import JupyterServer, NotebookPage, open_page, wait_until
from tests.e2e.test_main_job import start, tab
from tests.e2e.test_run_view import SHOTS, button, check_quiet, iterations_done, run_view, shoot
from tests.e2e.test_surface import problems

OPEN = """
([name, workspace]) => window.jupyterapp.commands.execute(
  'nbautoml:open-deployment', { deployment: name, workspace })
"""
DARK = (
    "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
)
LIGHT = DARK.replace("Dark", "Light")


def card_of(place: Locator, name: str) -> Locator:
    return place.get_by_role("article", name=f"Deployment {name}")


def wait_for_health(card: Locator) -> None:
    expect(card.locator(".nba-state")).to_have_text("Healthy", timeout=60_000)


def deploy_the_best(page: NotebookPage) -> Locator:
    models = tab(page, "Models")
    models.locator("tbody tr[data-n]").first.click()
    models.get_by_role("button", name="Deploy…").click()
    models.get_by_label("Deploy as").fill("a name with spaces")
    models.get_by_role("button", name="Deploy", exact=True).click()
    expect(models).to_contain_text("The name of a deployment must be", timeout=60_000)
    models.get_by_label("Deploy as").fill("from-the-view")
    models.get_by_role("button", name="Deploy", exact=True).click()
    card = card_of(models, "from-the-view")
    wait_for_health(card)
    return card


def look_narrow_and_dark(page: NotebookPage) -> None:
    """Keep pictures of the deployment in both themes, and where there is little room."""
    if not SHOTS:
        return
    shoot(page, "deployed-light")
    page.page.evaluate(DARK)
    page.page.wait_for_timeout(1000)
    shoot(page, "deployed-dark")
    page.page.evaluate(LIGHT)
    page.page.wait_for_timeout(1000)


def try_it(card: Locator) -> None:
    card.get_by_label("with probabilities").check()
    card.get_by_role("button", name="Send").click()
    expect(card).to_contain_text("Answered in", timeout=30_000)
    expect(card.get_by_label("Reply")).to_contain_text("probabilities")
    rows = card.get_by_label("Try it: a list of rows")
    rows.fill('[{"mean radius": "wide"}]')
    card.get_by_role("button", name="Send").click()
    expect(card).to_contain_text("Refused (422)", timeout=30_000)
    expect(card.get_by_label("Reply")).to_contain_text("mean radius")


def test_a_model_is_deployed_tried_and_removed_from_the_view(
    browser: Browser, lab: JupyterServer
) -> None:
    with open_page(browser, lab) as page:
        start(page, "deployed")
        wait_until(lambda: iterations_done(page) >= 3, "three iterations", seconds=90)
        button(page, "Finish now").first.click()
        status = run_view(page).first.locator(".nba-status")
        expect(status).to_have_text("Completed", timeout=90_000)
        card = deploy_the_best(page)
        try_it(card)
        assert problems(page, card) == []
        look_narrow_and_dark(page)

        workspace = Workspace.from_config(lab.root / "deployed")
        service = Webservice(workspace, "from-the-view")
        expect(card).to_contain_text(service.scoring_uri)
        assert httpx.get(
            service.scoring_uri.replace("score", "healthz"), trust_env=False
        ).is_success
        card.get_by_role("button", name="Show keys").click()
        expect(card).to_contain_text(service.get_keys()[0])
        look_at_drift(card, page, service)

        look_from_elsewhere(page, service)
        card.get_by_role("button", name="Delete").click()
        card.get_by_role("button", name="Delete for good?").click()
        expect(card).to_have_count(0, timeout=30_000)
        check_quiet(page)
    assert Webservice.list(workspace) == []
    workspace.session.close()


def look_at_drift(card: Locator, page: NotebookPage, service: Webservice) -> None:
    """Requests are written down from now on, and compared with the training data."""
    card.get_by_role("button", name="Show drift").click()
    expect(card.locator(".nba-drift")).to_contain_text("were written down", timeout=60_000)
    switch = card.get_by_label("Write requests and replies down")
    switch.check()
    expect(card.locator(".nba-drift")).to_contain_text("were written down", timeout=60_000)
    expect(switch).to_be_checked()
    sample = deployment(service.session, service.name)["sample"]
    card.get_by_label("Try it: a list of rows").fill(json.dumps([sample]))
    card.get_by_role("button", name="Send").click()
    expect(card).to_contain_text("Answered in", timeout=30_000)
    card.get_by_role("button", name="Hide drift").click()
    card.get_by_role("button", name="Show drift").click()
    columns = card.get_by_role("region", name="Drift of columns")
    expect(columns).to_contain_text("too few rows", timeout=60_000)
    if SHOTS:
        columns.scroll_into_view_if_needed()
        page.page.screenshot(path=f"{SHOTS}/drift-light.png")
    card.get_by_role("button", name="Hide drift").click()


def look_from_elsewhere(page: NotebookPage, service: Webservice) -> None:
    """The same deployment in the main area, while its worker is killed."""
    page.page.evaluate(OPEN, [service.name, str(service.session.root)])
    main = card_of(page.page.locator(".nbautoml-main"), service.name)
    wait_for_health(main)
    with service.session.read() as tx:
        owner = tx.deployments.get(service.name).owner
    assert owner is not None
    (worker,) = psutil.Process(owner.pid).children()
    os.kill(worker.pid, signal.SIGKILL)
    expect(main).to_contain_text("restarts: 1", timeout=60_000)
    wait_for_health(main)
    main.get_by_role("button", name="Show log").click()
    expect(main.get_by_label("Log")).to_contain_text("ended with -9")
    if SHOTS:
        page.page.screenshot(path=f"{SHOTS}/deployment-main-light.png")
    page.page.evaluate("() => window.jupyterapp.shell.activateById(window.findNotebook().id)")
