import asyncio
import json

import pytest
from tornado.httpclient import HTTPClientError

from nbautoml.domain import events as ev
from nbautoml.services.workspaces import remember_workspace

RUN = "AutoML_x"


@pytest.fixture
def workspace(tmp_path, make_workspace):
    address = make_workspace(tmp_path / "project")
    remember_workspace(address)
    return address


@pytest.fixture
def connect(jp_ws_fetch):
    async def connect():
        return await jp_ws_fetch("nbautoml", "v1", "events")

    return connect


async def receive(socket, seconds=5.0):
    return json.loads(await asyncio.wait_for(socket.read_message(), seconds))


async def subscribe(socket, workspace, since=0, run_id=RUN):
    message = {"sub": run_id, "workspace": workspace.root, "since": since}
    await socket.write_message(json.dumps(message))


async def test_socket_needs_a_token(jp_ws_fetch, jp_serverapp):
    with pytest.raises(HTTPClientError) as caught:
        await jp_ws_fetch("nbautoml", "v1", "events", headers={"Authorization": "token wrong"})
    assert caught.value.code == 403


async def test_subscriber_gets_everything_then_frames(connect, workspace, append_events):
    socket = await connect()
    await subscribe(socket, workspace)
    full = await receive(socket)
    assert full["run"] == RUN
    assert full["full"]["seq"] == 3

    append_events(workspace, RUN, ev.PhaseChanged(phase=ev.Phase.ENSEMBLE))
    frame = await receive(socket)
    assert (frame["from"], frame["seq"]) == (3, 4)
    assert frame["header"]["phase"] == "EnsembleSelection"
    assert "title" not in frame["header"]
    socket.close()


async def test_subscriber_that_comes_back_gets_only_what_it_lacks(connect, workspace):
    socket = await connect()
    await subscribe(socket, workspace, since=2)
    frame = await receive(socket)
    assert (frame["from"], frame["seq"]) == (2, 3)
    assert [t["n"] for t in frame["trials"]] == [0]
    assert frame["header"]["title"] == "exp"
    socket.close()


async def test_subscriber_without_news_still_hears_from_the_server(connect, workspace):
    socket = await connect()
    await subscribe(socket, workspace, since=3)
    frame = await receive(socket)
    assert (frame["from"], frame["seq"], frame["trials"]) == (3, 3, [])
    socket.close()


async def test_number_from_another_life_of_the_run_gets_everything(connect, workspace):
    socket = await connect()
    await subscribe(socket, workspace, since=99)
    assert "full" in await receive(socket)
    socket.close()


async def test_two_pages_share_one_follower(connect, workspace, append_events, jp_serverapp):
    first, second = await connect(), await connect()
    await subscribe(first, workspace)
    await receive(first)
    await subscribe(second, workspace)
    await receive(second)
    hub = jp_serverapp.web_app.settings["nbautoml_backend"].hub
    assert hub.n_followed == 1

    append_events(workspace, RUN, ev.PhaseChanged(phase=ev.Phase.ENSEMBLE))
    assert (await receive(first))["seq"] == 4
    assert (await receive(second))["seq"] == 4
    first.close()
    second.close()
    await eventually(lambda: hub.n_followed == 0)


async def test_unsubscribed_run_sends_no_more(connect, workspace, append_events, jp_serverapp):
    socket = await connect()
    await subscribe(socket, workspace)
    await receive(socket)
    await socket.write_message(json.dumps({"unsub": RUN, "workspace": workspace.root}))
    hub = jp_serverapp.web_app.settings["nbautoml_backend"].hub
    await eventually(lambda: hub.n_followed == 0)
    append_events(workspace, RUN, ev.PhaseChanged(phase=ev.Phase.ENSEMBLE))
    await subscribe(socket, workspace)
    assert (await receive(socket))["full"]["seq"] == 4  # the first message since
    socket.close()


@pytest.mark.parametrize(
    ("run_id", "root", "code"), [("nope", None, "not_found"), (RUN, "/etc", "not_allowed")]
)
async def test_what_cannot_be_followed_is_explained(connect, workspace, run_id, root, code):
    socket = await connect()
    message = {"sub": run_id, "workspace": root or workspace.root, "since": 0}
    await socket.write_message(json.dumps(message))
    answer = await receive(socket)
    assert answer["run"] == run_id
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    socket.close()


async def test_run_that_appears_later_can_be_followed(connect, workspace, tmp_path, make_workspace):
    socket = await connect()
    await subscribe(socket, workspace, run_id="AutoML_late")
    assert "error" in await receive(socket)
    late = make_workspace(tmp_path / "late", run_id="AutoML_late")
    remember_workspace(late)
    await subscribe(socket, late, run_id="AutoML_late")
    assert (await receive(socket))["full"]["run_id"] == "AutoML_late"
    socket.close()


@pytest.mark.parametrize("text", ["no json", "[]", "3", "{}", '{"sub": null}'])
async def test_messages_without_sense_do_no_harm(connect, workspace, text):
    socket = await connect()
    await socket.write_message(text)
    await subscribe(socket, workspace)
    answer = await receive(socket)
    if answer["run"] != RUN:  # "None" is told that there is no such workspace
        answer = await receive(socket)
    assert answer["full"]["seq"] == 3
    socket.close()


async def test_thousand_quick_trials_take_few_small_frames(connect, workspace, append_events):
    socket = await connect()
    await subscribe(socket, workspace)
    await receive(socket)
    for start in range(1, 1001, 50):
        events = [started(n) for n in range(start, start + 50)]
        await asyncio.to_thread(append_events, workspace, RUN, *events)
    size = n_frames = seq = 0
    rows = set()
    while seq < 1003:
        text = await asyncio.wait_for(socket.read_message(), 5.0)
        frame = json.loads(text)
        assert frame["from"] == (seq or 3)
        seq = frame["seq"]
        rows |= {t["n"] for t in frame["trials"]}
        size, n_frames = size + len(text), n_frames + 1
    assert rows == set(range(1, 1001))
    assert n_frames <= 40
    assert size < 400_000
    socket.close()


def started(number):
    return ev.TrialStarted(
        number=number, pipeline="LightGBM", family="LightGBM", params={}, n_folds=5
    )


async def eventually(check, seconds=5.0):
    end = asyncio.get_running_loop().time() + seconds
    while not check():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.02)
