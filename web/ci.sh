#!/usr/bin/env bash
# Install, build, type-check and test the page, in a browser too. PYTHON: what the page's results are compared with;
# CHROMIUM: the browser. Under four minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")"
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export PYTHON=${PYTHON:-$PWD/../.venv/bin/python}

if ! command -v npm > /dev/null; then
  echo "error: npm is missing: install Node.js 20.19 or later" >&2
  exit 1
fi
if [ ! -x "$PYTHON" ]; then
  echo "error: $PYTHON is missing: run make demo, or set PYTHON to one that has the package's requirements" >&2
  exit 1
fi
if [ ! -x "$CHROMIUM" ]; then
  apt-get update > /dev/null 2>&1 && apt-get install --yes --no-install-recommends chromium > /dev/null 2>&1 || true
fi
if [ ! -x "$CHROMIUM" ]; then
  echo "error: $CHROMIUM is missing and apt-get could not install it: install Chromium, or set CHROMIUM to its path" >&2
  exit 1
fi

npm ci --no-audit --no-fund
npm run lint
npm run build
npm test
npm run test:browser
