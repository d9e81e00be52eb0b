"""docs/line-configuration.md names every key, and its list of devices is the device files'."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import line_config
from line_config.manual import device_table
from line_config.model import LineFile
from line_config.schema_dump import SCHEMAS

MANUAL = (Path(line_config.__file__).parent.parent / "docs" / "line-configuration.md").read_text(
    encoding="utf-8"
)


def keys(model: type[BaseModel]) -> set[str]:
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


@pytest.mark.parametrize("key", sorted(keys(LineFile)))
def test_every_key_is_explained(key: str) -> None:
    part = re.search(rf"^\| {key} \|", MANUAL, re.MULTILINE)
    assert part or f"`{key}`" in MANUAL


@pytest.mark.parametrize("key", sorted(keys(SCHEMAS["plan"])))
def test_every_key_of_a_plan_is_explained(key: str) -> None:
    assert f"`{key}`" in MANUAL


def test_the_list_of_devices_is_the_device_files() -> None:
    listed = MANUAL.split("<!-- devices -->\n")[1].split("\n<!-- /devices -->")[0]
    assert listed == device_table(), "run python -m line_config.manual"
