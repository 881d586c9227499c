#!/usr/bin/env bash
# What one would expect: a documentation site that is built on this machine, with the theme's outside fonts switched off, is whole: a
# page with a Mermaid diagram shows it offline, and reading it tells nobody else. A build that loads code from elsewhere says so.
# What happens with Zensical 0.0.73 (the successor of Material for MkDocs by the same authors): the built script fetches Mermaid from a
# public content delivery network in the reader's browser, by its major version alone, so that what runs there changes without a build,
# and without a Subresource Integrity digest. `zensical build --strict` reports no issue. The cure is to leave the fence "mermaid" out of
# the Markdown extension's custom fences (list `pymdownx.superfences` without any): then the source of the diagram is shown.
# Versions: zensical 0.0.73, Python 3.11. Seen 2026-11-30. Source: this script.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "zensical==0.0.73"
cd "$work"
mkdir docs
printf '[project]\nsite_name = "x"\n\n[project.theme]\nfont = false\n' >zensical.toml
printf '# A page\n\n```mermaid\ngraph LR; a --> b\n```\n' >docs/index.md
"$work/venv/bin/zensical" --version
"$work/venv/bin/zensical" build --strict 2>&1 | tee build.log
grep -q "No issues found" build.log
grep -q 'class="mermaid"' site/index.html
addresses=$(grep -rhoE "https://[a-z.]+/mermaid@[0-9.]+/[a-z./]+" site | sort -u)
echo "the built site fetches: $(echo "$addresses" | sed -E 's#https://[a-z.]+/#(another host)/#')"
[ "$(echo "$addresses" | wc -l)" = 1 ] || { echo "the behaviour has changed"; exit 1; }
echo "$addresses" | grep -qE "/mermaid@[0-9]+/"
if grep -rqE "sha(256|384|512)-" site/assets --include='*.js'; then echo "the behaviour has changed"; exit 1; fi
echo "no integrity digest beside it"
printf '\n[project.markdown_extensions.pymdownx.superfences]\n' >>zensical.toml
"$work/venv/bin/zensical" build --strict >/dev/null 2>&1
if grep -q 'class="mermaid"' site/index.html; then echo "the cure doesn't work any more"; exit 1; fi
echo "with an empty list of custom fences the diagram's source is shown instead"
