"""``python -m simulators.labels SET --seed N --count N --out FOLDER``: a set of pictures with its truth.

Beside the pictures lies ``truth.json``: for each file its codes (``text``, ``symbology``; the waybill first),
``degrees``, ``module_px`` and ``damage``. The same seed gives the same codes and the same damage.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from simulators.labels.scenes import Scene, degraded, mixed, negatives, turned, typical


def _sweep(seed: int, count: int) -> Iterator[Scene]:
    return turned(seed, every=max(1, 180 // count))


SETS: dict[str, Callable[[int, int], Iterator[Scene]]] = {
    "typical": typical,
    "mixed": mixed,
    "turned": _sweep,
    "degraded": degraded,
    "negatives": negatives,
}


def write_set(scenes: Iterator[Scene], folder: Path) -> int:
    """How many there are. Raises ``OSError`` where it cannot write."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for n, scene in enumerate(scenes):
        name = f"{n:05}.png"
        whole, data = cv2.imencode(".png", scene.pixels)
        assert whole
        (folder / name).write_bytes(data.tobytes())
        truth.append(
            {
                "image": name,
                "codes": [{"text": one.text, "symbology": one.symbology.value} for one in scene.codes],
                "degrees": scene.degrees,
                "module_px": scene.module_px100 / 100,
                "damage": list(scene.damage),
            }
        )
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8")
    return len(truth)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.labels", description=__doc__)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True, help="a folder; made if it is not there")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("--count must be at least 1")
    count = write_set(SETS[options.set](options.seed, options.count), options.out)
    sys.stdout.write(f"{count} pictures: {options.out}\n")


if __name__ == "__main__":
    main()
