#!/bin/bash
# Rules of the house that a machine can see: form of the code, walls between the rooms, no SQL in C++. Prints what breaks them.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
status=0
broken() { echo "$1"; status=1; }
mapfile -t sources < <(find ami xmpp crm bridge tests -name build -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print)
clang-format-19 --dry-run --Werror "${sources[@]}" || broken "run clang-format-19 -i on these files"
for room in ami xmpp crm; do
    others=$(printf '%s\n' ami xmpp crm bridge | grep -vx "$room" | paste -sd'|')
    grep -rnE "#include [\"<](\.\./)?($others)/" "$room" && broken "room $room includes another room"
done
grep -rnE '"(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE) ' --include='*.cpp' --include='*.hpp' ami xmpp crm bridge && broken "SQL belongs into sql/"
exit $status
