"""Golden events: hand-written examples of every event type, in every form it was ever published. They parse for ever.

They lie in golden/<event>/<n>-<what>.json; documents show them as examples, tests hold every reader to them.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def events(name: str) -> dict[str, dict[str, Any]]:
    """All examples of one event type by their file's stem, in order."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((FOLDER / name).glob("*.json"))}


def fullest(name: str) -> dict[str, Any]:
    """The example that shows most."""
    return max(events(name).values(), key=lambda event: len(json.dumps(event)))
