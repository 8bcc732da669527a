"""Names and words that were replaced don't return. docs/glossary.md lists the words in use."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Words of version 0.1 that had a meaning of their own there, and none in the field.
RETIRED = re.compile(
    r"(?<![a-z])(doorbell|wishes|keyring|gazetteer|sightings?|complaints?|erasers?|housekeeping|ledger|suspicions?|healed"
    r"|deeds?|drifts?|standings?|rhythms?_of|heard_at|not heard|last heard|opens nothing|any ?more(?! than)"
    r"|cars_[a-z]+|[a-z]+_cars?)(?![a-z])",
    re.IGNORECASE,
)
# Published migrations, redirects of old URLs and the glossary, which says what not to write, keep the old words.
EXEMPT = re.compile(
    r"/migrations/|^fleet/legacy_urls\.py$|^docs/glossary\.md$|^CHANGELOG\.md$|^static/vendor/"
)
SEARCHED = ("*.py", "*.html", "*.txt", "*.js", "*.css", "*.md", "*.yml")
# Names of columns and of queued tasks stay as they are stored.
STORED = re.compile(r"db_column=|db_table|accept_former_name\(|name=\"")


def product_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *SEARCHED, ":!tests", ":!simulator"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in listed.stdout.splitlines() if not EXEMPT.search(path)]


@pytest.mark.parametrize(
    "sample", ["def ring_doorbell():", "not heard lately", "{{ fleet.cars_shown }}", "no_cars"]
)
def test_the_search_finds_a_retired_word(sample: str) -> None:
    assert RETIRED.search(sample)


def test_no_retired_word_is_in_use() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in product_files()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if RETIRED.search(line) and not STORED.search(line)
    ]
    assert found == []
