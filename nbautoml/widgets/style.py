"""Style of the static page: theme variables of notebook hosts first, then light or dark."""

from __future__ import annotations

CLASS = "nbautoml-run"

_LIGHT = {
    "bg": "#fff",
    "fg": "#212121",
    "mut": "#616161",
    "line": "#e0e0e0",
    "soft": "#f5f5f5",
    "accent": "#1976d2",
    "ok": "#2e7d32",
    "bad": "#c62828",
}
_DARK = {
    "bg": "#111",
    "fg": "#e6e6e6",
    "mut": "#9e9e9e",
    "line": "#333",
    "soft": "#1c1c1c",
    "accent": "#64b5f6",
    "ok": "#81c784",
    "bad": "#ef9a9a",
}
_HOSTS = {
    "bg": ("--jp-layout-color0", "--vscode-editor-background"),
    "fg": ("--jp-content-font-color1", "--vscode-editor-foreground"),
    "mut": ("--jp-content-font-color2", "--vscode-descriptionForeground"),
    "line": ("--jp-border-color2", "--vscode-panel-border"),
    "soft": ("--jp-layout-color2", "--vscode-sideBar-background"),
    "accent": ("--jp-brand-color1", "--vscode-focusBorder"),
    "ok": ("--jp-success-color1", "--vscode-charts-green"),
    "bad": ("--jp-error-color1", "--vscode-errorForeground"),
}
# .R is the page; .T is it, too, and goes before what exports say of tables.
_RULES = """
.R{background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:6px;
max-width:980px;padding:12px 16px;
font:13px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.R *{box-sizing:border-box}
.R .head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
.R .head b{font-size:15px;font-weight:600}
.R .mut{color:var(--mut)}.R .ok{color:var(--ok)}
.R .bad{color:var(--bad)}.R .live{color:var(--accent)}
.R .state{font-weight:600}
.R .prog{height:6px;background:var(--line);border-radius:3px;margin:8px 0 4px;overflow:hidden}
.R .prog b{display:block;height:100%;background:var(--accent);border-radius:3px}
.R .kpi{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;
margin:10px 0}
.R .kpi div{background:var(--soft);border-radius:5px;padding:7px 12px}
.R .kpi b{display:block;font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}
.R svg{width:100%;height:auto;display:block}.R .g{stroke:var(--line)}
.R text{fill:var(--mut);font-size:10px}.R .y{text-anchor:end}.R .x{text-anchor:middle}
.R path.best{fill:none;stroke:var(--fg);stroke-width:1.5}
.R path.dots{fill:none;stroke-width:6;stroke-linecap:round}
.R path.bad{fill:none;stroke:var(--bad);stroke-width:1.5}
.T table{width:100%;table-layout:auto;border-collapse:collapse;margin:6px 0;
font-variant-numeric:tabular-nums;font-size:inherit;color:inherit;background:none}
.T th,.T td{padding:4px 8px;border:0;border-bottom:1px solid var(--line);text-align:left;
white-space:normal;background:none}
.T th{color:var(--mut);font-weight:600}.T .n{text-align:right;white-space:nowrap}
.R tr{background:none!important}
.R tr.top td{background:color-mix(in srgb,var(--ok) 8%,transparent)}
.R td i{display:inline-block;width:8px;height:8px;border-radius:2px;margin-right:7px}
.R .tag{font-size:11px;font-weight:600;color:var(--ok);border:1px solid;border-radius:3px;
padding:0 5px;margin-left:6px}
.R .figs{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:10px 18px}
.R figure{margin:6px 0}.R figcaption{font-weight:600}
.R .keys{display:flex;flex-wrap:wrap;gap:2px 12px;font-size:11px}
.R .keys i{display:inline-block;width:10px;height:3px;margin-right:5px;vertical-align:middle}
.R summary{cursor:pointer;padding:4px 0}.R .err{overflow-wrap:anywhere}
.R pre{margin:6px 0;padding:6px 10px;overflow:auto;max-height:320px;background:var(--soft);
color:inherit;border-radius:4px;font:12px/1.45 ui-monospace,monospace;white-space:pre-wrap}
.R img{max-width:100%;height:auto}.R .wide{overflow:auto}
"""


def style_sheet() -> str:
    """Return the ``<style>`` element of the page; it touches only what is inside of it."""
    rules = _RULES.replace(".R", f".{CLASS}").replace(".T", f".{CLASS}:not(.nbautoml)")
    rules = rules.replace("\n", "")
    dark = f"@media(prefers-color-scheme:dark){{{_variables(_DARK)}}}"
    return f"<style>{_variables(_LIGHT)}{dark}{rules}</style>"


def _variables(fallbacks: dict[str, str]) -> str:
    declared = ";".join(
        f"--{name}:var({first},var({second},{fallbacks[name]}))"
        for name, (first, second) in _HOSTS.items()
    )
    return f".{CLASS}{{{declared}}}"
