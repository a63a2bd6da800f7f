"""Words that a magic shows below its cell."""

from __future__ import annotations

import html

from IPython.display import publish_display_data


def say(text: str) -> None:
    """Show a text, as it is, in whichever font the host uses for output."""
    publish_display_data({"text/plain": text})  # type: ignore[no-untyped-call]


def show_table(head: list[str], rows: list[list[str]]) -> None:
    """Show a small table, as HTML and as aligned text.

    Parameters
    ----------
    head : list of str
        Names of the columns.
    rows : list of list of str
        One text a cell.
    """
    publish_display_data(  # type: ignore[no-untyped-call]
        {"text/plain": table_text(head, rows), "text/html": table_html(head, rows)}
    )


def table_text(head: list[str], rows: list[list[str]]) -> str:
    """Return a table as aligned text.

    Examples
    --------
    >>> print(table_text(["a", "bb"], [["1", "2"]]))
    a  bb
    1  2
    """
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def table_html(head: list[str], rows: list[list[str]]) -> str:
    """Return a table as HTML, with everything escaped."""
    left = "style='text-align:left'"
    names = "".join(f"<th {left}>{html.escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td {left}>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
