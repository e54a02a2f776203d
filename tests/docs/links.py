"""Relative links of a Markdown page, and whether they lead somewhere on GitHub."""

import re
from collections import Counter

_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]+`")
_LINK = re.compile(
    r"""\]\(<?([^)\s>]+)|^ *\[[^\]]+\]:\s+(\S+)|\b(?:src|href)="([^"]+)\"""", re.MULTILINE
)
_HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)? *$", re.MULTILINE)
_HTML_ANCHOR = re.compile(r"""<\w+[^>]* (?:id|name)="([^"]+)\"""")


def broken_links(page, root):
    """Return the page's links to files that the repository lacks, and to anchors that files lack.

    Parameters
    ----------
    page : Path
    root : Path
        Folder of the repository: what lies outside is not on GitHub.
    """
    return [link for link in _relative_links(page) if not _leads_somewhere(link, page, root)]


def _relative_links(page):
    text = _CODE.sub("", _FENCED.sub("", page.read_text("utf-8")))
    for groups in _LINK.findall(text):
        link = "".join(groups)
        if not re.match(r"[a-z][a-z0-9+.-]*:", link):
            yield link


def _leads_somewhere(link, page, root):
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(root) or not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text("utf-8"))


def anchors(markdown):
    """Return a page's anchors by GitHub's rules.

    A heading's anchor is its text in lower case, without punctuation, with hyphens for spaces. If
    several headings have the same text, ``-1``, ``-2`` and so on are added from the second one on.
    """
    text = _FENCED.sub("", markdown)
    found = set(_HTML_ANCHOR.findall(text))
    seen = Counter()
    for heading in _HEADING.findall(text):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
