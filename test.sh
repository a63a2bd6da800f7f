#!/usr/bin/env bash
# Runs every test of nbautoml; does all set-up on its own. Arguments go to pytest.
#
#   bash test.sh                       everything
#   bash test.sh tests/unit -k budget  some of the Python tests
#
# NBAUTOML_SKIP_BROWSER=1 leaves out the tests that drive a browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. .ci/setup.sh

setup dev
# One thread a process: the tests start several, and idle OpenMP threads spin.
export OMP_NUM_THREADS=1

if [ "$#" -gt 0 ]; then
  exec python -m pytest "$@"
fi

failed=()
step() {
  say "$1"
  shift
  "$@" || failed+=("$*")
}

run_view() { (cd labextension && "$@"); }

step "Run view: packages" run_view npm ci --no-audit --no-fund --loglevel=error
step "Run view: eslint and tsc" run_view npm run --silent lint
step "Run view: vitest" run_view npm run --silent test
# Two at a time: each of these works within its own process, or waits for one of its own.
step "Python: style, unit" \
  python -m pytest -n 2 --dist loadfile nbautoml tests/architecture tests/unit
step "Python: contracts, pipelines, and what takes seconds" \
  python -m pytest -n 2 --dist loadfile tests/contract tests/slow tests/integration/pipelines
# One at a time: these start processes and servers of their own.
step "Python: integration, notebooks" \
  python -m pytest tests/integration tests/notebooks --ignore tests/integration/pipelines
# Two at a time: what breaks while other work goes on has to end well, too.
step "Python: faults" python -m pytest -n 2 tests/faults
# In a process of its own: the browser's event loop and processes would disturb the others.
if [ "${NBAUTOML_SKIP_BROWSER:-}" = 1 ]; then
  say "SKIPPED: the tests that drive a browser (NBAUTOML_SKIP_BROWSER=1)"
else
  step "Browser" python -m pytest tests/e2e
fi

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
say "All tests passed"
