"""Tokens of callers from outside, and their requests that may be repeated."""

from __future__ import annotations

import builtins
from typing import Any  # Any: rows

import sqlalchemy as sa

from nbautoml.domain.records import ApiTokenRecord, SubmissionRecord
from nbautoml.errors import NotFoundError
from nbautoml.store.records.scope import Records
from nbautoml.store.tables import api_tokens, submissions


class ApiTokenReads(Records):
    """What can be asked about tokens."""

    def get(self, token_id: str) -> ApiTokenRecord:
        """Return one token, revoked or not.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        query = sa.select(api_tokens).where(api_tokens.c.id == token_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(
                f"No token has the id {token_id!r}. nbautoml api token list shows those that "
                "there are."
            )
        return _token(row)

    def list(self) -> builtins.list[ApiTokenRecord]:
        """Return all tokens, newest first."""
        order = (api_tokens.c.created_at.desc(), api_tokens.c.id)
        rows = self._connection.execute(sa.select(api_tokens).order_by(*order))
        return [_token(row) for row in rows]


class ApiTokenWrites(ApiTokenReads):
    """What can be done with tokens."""

    def create(self, record: ApiTokenRecord) -> None:
        """Add a token; its id is new."""
        row = {
            "id": record.id,
            "sha256": record.sha256,
            "name": record.name,
            "scopes": record.scopes,
            "created_at": record.created_at,
            "expires_at": record.expires_at,
            "last_used_at": record.last_used_at,
            "revoked_at": record.revoked_at,
        }
        self._connection.execute(sa.insert(api_tokens), row)

    def note_use(self, token_id: str, time: float) -> None:
        """Remember when a token was used last."""
        where = api_tokens.c.id == token_id
        self._connection.execute(sa.update(api_tokens).where(where).values(last_used_at=time))

    def revoke(self, token_id: str, time: float) -> ApiTokenRecord:
        """Make a token useless; the moment at which it first was stays.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        where = (api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
        self._connection.execute(sa.update(api_tokens).where(*where).values(revoked_at=time))
        return self.get(token_id)


class SubmissionReads(Records):
    """What can be asked about requests that may be repeated."""

    def find(self, key: str) -> SubmissionRecord | None:
        """Return the request of a key, None where there was none."""
        query = sa.select(submissions).where(submissions.c.key == key)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return SubmissionRecord(
            key=row.key,
            fingerprint=row.fingerprint,
            created_at=row.created_at,
            run_id=row.run_id,
        )


class SubmissionWrites(SubmissionReads):
    """What can be done with requests that may be repeated."""

    def take(self, record: SubmissionRecord) -> SubmissionRecord | None:
        """Write down a request that begins; return the one that has its key already, if any."""
        row = {
            "key": record.key,
            "fingerprint": record.fingerprint,
            "run_id": record.run_id,
            "created_at": record.created_at,
        }
        statement = self._insert(submissions).values(row)
        statement = statement.on_conflict_do_nothing(index_elements=["key"])
        made = self._connection.execute(statement.returning(submissions.c.key))
        return self.find(record.key) if made.scalar_one_or_none() is None else None

    def finish(self, key: str, run_id: str) -> None:
        """Write down the run that a request made."""
        where = submissions.c.key == key
        self._connection.execute(sa.update(submissions).where(where).values(run_id=run_id))

    def drop(self, key: str) -> None:
        """Forget a request that made nothing."""
        self._connection.execute(sa.delete(submissions).where(submissions.c.key == key))

    def drop_before(self, time: float) -> None:
        """Forget the requests of long ago."""
        self._connection.execute(sa.delete(submissions).where(submissions.c.created_at < time))


def _token(row: sa.Row[Any]) -> ApiTokenRecord:
    return ApiTokenRecord(
        id=row.id,
        sha256=row.sha256,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
