#!/bin/bash
# Makes web/node_modules (from the registry that npm is set up for) where it is missing or older than the lock file, and builds web/dist.
# Ends with 77, which ctest takes for skipped, where there is no Node 18 or later.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../../web"
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null || { echo "skipped: no Node 18 or later (packages nodejs and npm)"; exit 77; }
made=node_modules/.package-lock.json
if [ ! -e "$made" ] || [ package-lock.json -nt "$made" ]; then npm ci --no-audit --no-fund; touch "$made"; fi
npm run --silent build
