"""JSON schemas of the configuration files, for editors: ``python -m line_config.schema_dump``.

The files in ``schema/`` are generated; a test holds them equal to the models.
"""

import json

from line_config.carriers import CarriersFile
from line_config.device_files import CameraFile, PlcFile, ScaleFile, ScannerFile
from line_config.fields import Strict
from line_config.model import LineFile
from line_config.packaged import packaged
from line_config.plan import PlanFile
from line_config.reading import ReadingFile
from line_config.reasons import ReasonsFile
from line_config.record import RecordFile

SCHEMAS: dict[str, type[Strict]] = {
    "line": LineFile,
    "plan": PlanFile,
    "plc": PlcFile,
    "scale": ScaleFile,
    "scanner": ScannerFile,
    "camera": CameraFile,
    "reasons": ReasonsFile,
    "carriers": CarriersFile,
    "reading": ReadingFile,
    "record": RecordFile,
}


def schema_text(name: str) -> str:
    """One schema as it is checked in."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SCHEMAS[name].model_json_schema(mode="validation"),
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write them all anew."""
    for name in SCHEMAS:
        packaged("schema", f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
