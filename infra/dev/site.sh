#!/bin/sh
# Builds the documentation site into build/site. A link to a page, a heading or a file that isn't there fails.
set -eu
cd "$(dirname "$0")/../.."
source=build/site-source
rm -rf "$source" build/site
# Every Markdown file of the project at its own place, so that relative links hold, and the files that pages link to.
for file in $(git ls-files --cached --others --exclude-standard '*.md' 'infra/docs/images/*' LICENSE); do
    case $file in tests/*) continue ;; esac
    [ -f "$file" ] || continue
    mkdir -p "$source/$(dirname "$file")"
    cp "$file" "$source/$file"
done
# Zensical wants its file above both folders.
cp infra/dev/site.toml build/site.toml
.venv/bin/zensical build --strict --clean --config-file build/site.toml
