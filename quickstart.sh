#!/usr/bin/env bash
# Finds a model for a real table and shows what came of it; does all set-up on its own.
#
#   bash quickstart.sh          in this terminal
#   bash quickstart.sh --lab    as a notebook in JupyterLab
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. .ci/setup.sh

open_lab() {
  local flags=()
  [ "$(id -u)" = 0 ] && flags=(--allow-root)
  setup samples
  exec jupyter lab ${flags[@]+"${flags[@]}"} notebooks/01-quickstart.ipynb
}

case "${1:-}" in
  "") setup samples && exec nbautoml quickstart ;;
  --lab) open_lab ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
