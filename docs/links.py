"""What `make linkcheck` found: dead links, and those that could not be tried.

    python docs/links.py docs/_build/linkcheck/output.json

Sphinx calls both broken. A host that can't be reached says nothing about its pages, so
only what a server refuses ends with an error.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

# What requests and urllib3 say where no server has answered.
_NO_ANSWER = (
    "Max retries exceeded",
    "Failed to resolve",
    "NameResolutionError",
    "Connection aborted",
    "Connection refused",
    "Connection reset",
    "Network is unreachable",
    "ProxyError",
    "timed out",
)


def sort_links(text):
    """Sort what Sphinx has written.

    Parameters
    ----------
    text : str
        A JSON object a line.

    Returns
    -------
    n_working : int
    dead : list of dict
        Refused by a server, or missing within the site.
    untried : list of dict
        No server has answered.
    """
    n_working, dead, untried = 0, [], []
    for line in text.splitlines():
        link = json.loads(line)
        if link["status"] in ("working", "redirected"):
            n_working += 1
        elif link["status"] in ("timeout", "rate-limited") or (
            link["status"] == "broken"
            and any(words in link["info"] for words in _NO_ANSWER)
        ):
            untried.append(link)
        elif link["status"] == "broken":
            dead.append(link)
    return n_working, dead, untried


def main(path):
    """Print what was found; return 1 if links are dead, 2 if none could be tried."""
    n_working, dead, untried = sort_links(Path(path).read_text("utf-8"))
    print(f"{n_working} links work.")
    for link in dead:
        print(f"{link['filename']}:{link['lineno']}: {link['uri']}: {link['info']}")
    hosts = defaultdict(set)
    for link in untried:
        hosts[urlsplit(link["uri"]).netloc].add(link["uri"])
    if hosts:
        print(f"Not tried, since no server answered ({len(hosts)} hosts):")
    for host, links in sorted(hosts.items()):
        print(f"  {host}: {', '.join(sorted(links))}")
    if dead:
        return 1
    return 0 if n_working or not hosts else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
