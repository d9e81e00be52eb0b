"""``python -m grafana``: writes every dashboard beside this file."""

from pathlib import Path

from grafana.boards import BOARDS
from grafana.build import board_json

FOLDER = Path(__file__).parent / "dashboards"


def main() -> None:
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(board_json(board), encoding="utf-8")


if __name__ == "__main__":
    main()
