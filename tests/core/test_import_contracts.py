"""The house's import contracts hold, and each of them is broken by an import planted against it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("edge", "drivers", "line_config", "api", "simulators")

PLANTS = {
    "model": ("edge/model/planted.py", "import edge.store.rows"),
    "core": ("edge/core/planted.py", "def later() -> None:\n    import asyncio\n    asyncio.Lock()"),
    "ports": ("edge/ports/planted.py", "import edge.core.line"),
    "line-config": ("line_config/planted.py", "import edge.core.tracking"),
    "store": ("edge/store/planted.py", "import edge.core.line"),
    "runtime": ("edge/runtime/planted.py", "import drivers.registry"),
    "drivers": ("drivers/links/planted.py", "import edge.store.rows"),
    "codecs": ("drivers/codecs/planted.py", "import asyncio"),
    "vision": ("drivers/vision/planted.py", "import drivers.streams.unix"),
    "line-without-pixels": ("drivers/links/planted_too.py", "import cv2"),
    "camera": ("edge/camera.py", "import drivers.links.camera"),
    "streams": ("drivers/streams/planted.py", "import drivers.codecs.plc"),
    "api": ("api/planted.py", "import drivers.streams.modbus"),
    "simulators": ("simulators/devices/planted.py", "import drivers.codecs.plc"),
    "app": ("edge/app.py", "import api.intake"),
    "doctor": ("edge/doctor/planted.py", "import edge.runtime.line_loop"),
    "inbox-writer": ("edge/runtime/planted_too.py", "import edge.store.inbox_writer"),
    "journal-writer": ("api/planted_too.py", "import edge.store.journal_writer"),
    "picture-keeper": ("api/planted_three.py", "import edge.store.picture_keeper"),
}


def contracts() -> dict[str, str]:
    """id → name of every contract in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {c["id"]: c["name"] for c in settings["tool"]["importlinter"]["contracts"]}


def lint(where: Path) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy_of_the_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, where / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", where)
    return where


def test_every_contract_has_a_plant() -> None:
    assert set(PLANTS) == set(contracts())


def test_the_house_keeps_its_contracts_until_an_import_is_planted(copy_of_the_house: Path) -> None:
    clean = lint(copy_of_the_house)
    assert f"Contracts: {len(PLANTS)} kept, 0 broken" in clean, clean
    for file, line in PLANTS.values():
        path = copy_of_the_house / file
        path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    planted = lint(copy_of_the_house)
    for contract, name in contracts().items():
        assert f"{name} BROKEN" in planted, f"the plant against {contract!r} was not caught\n{planted}"
