"""Datasets behind URLs: a real server, the cache, and no server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nbautoml.data import Dataset
from nbautoml.data.http_cache import fetch
from nbautoml.errors import DatasetError

pytestmark = pytest.mark.integration


class Site(ThreadingHTTPServer):
    """Serves `pages` by path, with ETags, and remembers the status of each answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.answers: list[int] = []
        self.sends_etag = True
        self.cuts_off = False

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in self.server.redirects:
            return self.answer(302, {"Location": self.server.redirects[path]})
        body = self.server.pages.get(path)
        status = self.server.statuses.get(path, 404 if body is None else 200)
        if status != 200 or body is None:
            return self.answer(status, {"Content-Length": "0"})
        etag = hashlib.sha256(body).hexdigest()
        if self.server.sends_etag and self.headers.get("If-None-Match") == etag:
            return self.answer(304, {"ETag": etag})
        headers = {"Content-Length": str(len(body) + (100 if self.server.cuts_off else 0))}
        if self.server.sends_etag:
            headers["ETag"] = etag
        self.answer(200, headers)
        self.wfile.write(body)
        return None

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.server.answers.append(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBAUTOML_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("NBAUTOML_URL_MAP", raising=False)


def test_a_url_is_fetched_once_and_asked_for_again(site: Site) -> None:
    site.pages["/a.csv"] = b"n\n1\n"

    dataset = Dataset.Tabular.from_delimited_files(site.url("/a.csv"))

    assert dataset.to_pandas_dataframe()["n"].tolist() == [1]
    assert site.answers == [200, 304]


def test_changed_content_is_fetched_again(site: Site) -> None:
    site.pages["/a.csv"] = b"n\n1\n"
    dataset = Dataset.Tabular.from_delimited_files(site.url("/a.csv"))
    site.pages["/a.csv"] = b"n\n2\n"

    assert dataset.to_pandas_dataframe()["n"].tolist() == [2]
    assert site.answers == [200, 200]


def test_without_etags_content_is_fetched_each_time(site: Site) -> None:
    site.sends_etag = False
    site.pages["/a.csv"] = b"n\n1\n"

    Dataset.Tabular.from_delimited_files(site.url("/a.csv")).to_pandas_dataframe()

    assert site.answers == [200, 200]


def test_redirects_are_followed(site: Site) -> None:
    site.pages["/real.csv"] = b"n\n3\n"
    site.redirects["/a.csv"] = "/real.csv"

    frame = Dataset.Tabular.from_delimited_files(site.url("/a.csv")).to_pandas_dataframe()

    assert frame["n"].tolist() == [3]


def test_urls_that_differ_in_their_query_are_different_files(site: Site, tmp_path: Path) -> None:
    site.pages["/a.csv"] = b"n\n1\n"

    assert fetch(site.url("/a.csv?v=1"), tmp_path) != fetch(site.url("/a.csv?v=2"), tmp_path)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, r"does not exist there \(404\); check the address"),
        (403, "needs a sign-in"),
        (500, "HTTP status 500; try again later"),
    ],
)
def test_refusals_are_one_clear_error(site: Site, status: int, expected: str) -> None:
    site.statuses["/a.csv"] = status

    with pytest.raises(DatasetError, match=expected) as caught:
        Dataset.Tabular.from_delimited_files(site.url("/a.csv"))

    assert str(caught.value).startswith(site.url("/a.csv"))
    assert site.answers == [status]


def test_a_server_that_is_away_leaves_the_copy_with_a_warning(site: Site) -> None:
    site.pages["/a.csv"] = b"n\n1\n"
    dataset = Dataset.Tabular.from_delimited_files(site.url("/a.csv"))
    site.server_close()
    site.shutdown()

    with pytest.warns(UserWarning, match="cannot be reached .*the copy fetched earlier is used"):
        frame = dataset.to_pandas_dataframe()

    assert frame["n"].tolist() == [1]


def test_a_server_in_trouble_leaves_the_copy_with_a_warning(site: Site) -> None:
    site.pages["/a.csv"] = b"n\n1\n"
    dataset = Dataset.Tabular.from_delimited_files(site.url("/a.csv"))
    site.statuses["/a.csv"] = 503

    with pytest.warns(UserWarning, match="answered 503; the copy"):
        assert dataset.to_pandas_dataframe()["n"].tolist() == [1]


def test_a_download_that_breaks_off_is_an_error_and_leaves_nothing(
    site: Site, tmp_path: Path
) -> None:
    site.pages["/a.csv"] = b"n\n1\n"
    site.cuts_off = True

    with pytest.raises(DatasetError, match="NBAUTOML_URL_MAP"):
        fetch(site.url("/a.csv"), tmp_path / "c")

    assert [p for p in (tmp_path / "c").rglob("*") if p.is_file()] == []


def test_a_damaged_cache_entry_is_fetched_again(site: Site, tmp_path: Path) -> None:
    site.pages["/a.csv"] = b"n\n1\n"
    copy = fetch(site.url("/a.csv"), tmp_path / "c")
    copy.write_bytes(b"n")

    assert fetch(site.url("/a.csv"), tmp_path / "c").read_bytes() == b"n\n1\n"


def test_a_bad_file_behind_a_url_is_named_by_the_url(site: Site) -> None:
    site.pages["/page"] = b"<!DOCTYPE html><html>sign in</html>"

    with pytest.raises(DatasetError, match="is a web page") as caught:
        Dataset.Tabular.from_delimited_files(site.url("/page"))

    assert str(caught.value).startswith(site.url("/page"))
