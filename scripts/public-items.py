#!/usr/bin/env python3
"""Lists the public items of the library from what `cargo doc` made, as docs/API.md.

    cargo doc --no-deps --locked && scripts/public-items.py            # writes docs/API.md
    cargo doc --no-deps --locked && scripts/public-items.py --check    # says whether it is as it should be

It begins at the crate's page and follows the links to modules and items, so that pages which an older build has left
behind do not count. Only what a caller can name is listed: no fields of private types, no methods of traits that other
crates define, but the names of those traits.
"""

import html
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "target" / "doc" / "dictaphone"
LIST = ROOT / "docs" / "API.md"

HEAD = """\
# Public items

What of the library can be named from outside, with the default features on Linux. `scripts/public-items.py` makes this
list from the documentation, and `make lint` fails where it is not true: a line that goes or changes here is a change
for whoever uses the crate.
"""


def text(markup: str) -> str:
    """The words of some HTML, on one line."""
    markup = re.sub(r'<a href="[^"]*" class="tooltip".*?</a>|<details.*?</summary>|</details>', "", markup, flags=re.S)
    plain = html.unescape(re.sub(r"<[^>]*>", "", markup)).replace("\u200b", "")
    plain = re.sub(r"\s+", " ", plain).strip()
    # A signature that was broken over several lines.
    return plain.replace("pub use self::", "use ").replace("( ", "(").replace(", )", ")").replace(" )", ")")


def items(page: str) -> list[tuple[str, str]]:
    """Kind and file of every item that a module's page lists."""
    found = re.findall(r'<dt>(?:<[^a][^>]*>)*<a class="(\w+)" href="([^"]+)"', page)
    return [(kind, link) for kind, link in found if "://" not in link and not link.startswith("../")]


def members(page: str) -> list[str]:
    """Fields, variants, methods and traits on the page of a type, in the order of the page."""
    lines = [f"`{text(field)}`" for field in re.findall(r'class="structfield[^"]*".*?<code>(.*?)</code>', page, re.S)]
    for variant in re.findall(r'<section id="variant\.\w+" class="variant">.*?<h3 class="code-header">(.*?)</h3>', page, re.S):
        lines.append(f"`{text(variant)}`")
    own, _, traits = page.partition('id="trait-implementations"')
    own = own.partition('id="implementors"')[0]
    for method in re.findall(r'<section id="(?:ty|)(?:method|associatedconstant)\.[^"]*" class="(?:method|associatedconstant)[^"]*">.*?<h4 class="code-header">(.*?)</h4>', own, re.S):
        lines.append(f"`{text(method)}`")
    own_traits = traits.partition('id="synthetic-implementations"')[0]
    names = sorted({text(name) for name in re.findall(r'<h3 class="code-header">impl(.*?) for ', own_traits, re.S)})
    names = [re.sub(r"^<.*?> (?=\S)", "", name) for name in names if name != "StructuralPartialEq"]
    if names:
        lines.append("implements " + ", ".join(f"`{name}`" for name in names))
    return lines


def declaration(page: str) -> str:
    found = re.search(r'<pre class="rust item-decl"><code>(.*?)</code></pre>', page, re.S)
    return text(found.group(1)) if found else ""


def module(folder: Path, path: str) -> list[str]:
    page = (folder / "index.html").read_text()
    lines = [f"\n## `{path}`\n"]
    lines += [f"- {text(use)}" for use in re.findall(r'<dt id="reexport[^>]*><code>(.*?)</code>', page, re.S)]
    below = []
    for kind, link in items(page):
        if kind == "mod":
            below.append((folder / link).parent)
            continue
        if not (folder / link).is_file():
            continue
        item = (folder / link).read_text()
        name = link.rpartition("/")[2].split(".")[1]
        if kind in ("fn", "constant", "type"):
            lines.append(f"- {kind} `{declaration(item)}`")
        else:
            growing = " (non-exhaustive)" if "#[non_exhaustive]" in declaration(item) or 'id="non-exhaustive' in item else ""
            lines.append(f"- {kind} `{name}`{growing}")
            lines.extend(f"  - {member}" for member in members(item))
    for inner in sorted(below):
        lines += module(inner, f"{path}::{inner.name}")
    return lines


def main() -> int:
    if not (DOCS / "index.html").is_file():
        print("error: there is no documentation\nhint: `cargo doc --no-deps --locked` makes it", file=sys.stderr)
        return 1
    listed = HEAD + "\n".join(module(DOCS, "dictaphone")) + "\n"
    if "--check" not in sys.argv[1:]:
        LIST.write_text(listed)
        return 0
    if LIST.is_file() and LIST.read_text() == listed:
        return 0
    print("error: docs/API.md is not what is public\nhint: `scripts/public-items.py` writes it anew", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
