"""Sets of drawn labels: by seed, with their truth beside them; each kind of damage and of look-alike."""

import json
from pathlib import Path

import numpy as np
import pytest

from drivers.streams.frame_sources import read_picture
from edge.model.codes import Code, Symbology
from simulators.labels.__main__ import SETS, write_set
from simulators.labels.contents import PRINTS
from simulators.labels.damage import DAMAGE, ON_PAPER
from simulators.labels.lookalikes import NEGATIVES
from simulators.labels.mutated import mutated_files
from simulators.labels.printed import LabelPrint, print_label
from simulators.labels.scenes import degraded, negatives
from simulators.labels.symbols import modules_of
from simulators.seeds import SeededBits


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_set_is_pictures_and_their_truth(name: str, tmp_path: Path) -> None:
    assert write_set(SETS[name](7, 2), tmp_path / name) == 2
    truth = json.loads((tmp_path / name / "truth.json").read_text(encoding="utf-8"))
    assert [one["image"] for one in truth] == ["00000.png", "00001.png"]
    for one, scene in zip(truth, SETS[name](7, 2), strict=True):
        pixels = read_picture(tmp_path / name / one["image"])
        assert pixels is not None
        assert pixels.shape == scene.pixels.shape
        codes = [Code(text=code["text"], symbology=Symbology(code["symbology"])) for code in one["codes"]]
        assert codes == list(scene.codes)
        assert bool(codes) is (name != "negatives")
        assert one["damage"] == list(scene.damage)


def test_a_seed_makes_a_set_and_another_seed_another() -> None:
    one, same, other = ([scene.codes for scene in degraded(seed, 3)] for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_each_kind_of_damage_changes_the_picture_and_not_its_size(kind: str) -> None:
    label = print_label(LabelPrint(codes=(Code(text="JT1234567890123", symbology=Symbology.CODE128),)))
    whole = label.astype(np.float32)
    hurt = DAMAGE[kind](SeededBits(3, kind), whole.copy())
    assert hurt.shape == whole.shape
    assert float(np.abs(hurt - whole).mean()) > 0.1
    assert set(DAMAGE) >= ON_PAPER


def test_every_look_alike_is_drawn_and_every_symbology_printed() -> None:
    assert {scene.damage[0] for scene in negatives(1, 80)} == set(NEGATIVES)
    printed = {one(SeededBits(1, "print")).symbology for one in PRINTS}
    assert printed == set(Symbology) - {Symbology.UNKNOWN, Symbology.UPCE}
    assert modules_of(Code(text="04252614", symbology=Symbology.UPCE)).shape == (1, 51)


def test_mutated_files_are_those_of_their_seed() -> None:
    files = list(mutated_files(1, 5))
    assert files == list(mutated_files(1, 5))
    assert files != list(mutated_files(2, 5))
    assert all(files)
