"""JSON schema of what is relayed, generated from the types of the record: ``python -m api.relay.schema``.

The file is checked in beside this one; a test holds it equal to the types.
"""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from api.relay.messages import STATION_OF
from edge.store.rows import RECORDS

FILE: Final = Path(__file__).parent / "events.schema.json"
_SEQ: Final = {"type": "integer", "minimum": 0}


def schema() -> dict[str, Any]:
    """One object for every kind of fact; ``kind`` says which ``body`` it has."""
    definitions: dict[str, Any] = {}
    for kind in STATION_OF:
        body = TypeAdapter(RECORDS[kind]).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        definitions |= body.pop("$defs", {})
        definitions[kind] = body | {"additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A fact of a Beltkeeper line's record",
        "description": "At least once; id is the same at each repeat. prev: the seq relayed before.",
        "oneOf": [_envelope(kind) for kind in STATION_OF],
        "$defs": dict(sorted(definitions.items())),
    }


def _envelope(kind: str) -> dict[str, Any]:
    properties = {
        "id": {"type": "string", "description": "line/seq"},
        "site": {"type": "string"},
        "line": {"type": "string"},
        "seq": _SEQ | {"minimum": 1},
        "prev": _SEQ,
        "at": {"type": ["string", "null"], "format": "date-time"},
        "at_us": {"type": "integer", "description": "the line PC's monotonic clock"},
        "kind": {"const": kind},
        "track": {"type": ["integer", "null"]},
        "body": {"$ref": f"#/$defs/{kind}"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def schema_text() -> str:
    """As it is checked in."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it anew."""
    FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
