"""The generated part of docs/line-configuration.md: ``python -m line_config.manual`` prints it."""

from line_config.device_files import PlcFile, ScaleFile, ScannerFile
from line_config.load import read_packaged
from line_config.packaged import packaged_names
from line_config.problems import LineConfigError

FOLDERS: tuple[tuple[str, type[PlcFile] | type[ScaleFile] | type[ScannerFile]], ...] = (
    ("plc", PlcFile),
    ("scales", ScaleFile),
    ("scanners", ScannerFile),
)


def device_table() -> str:
    """Supported devices as a Markdown table, one row a device file. Raises ``LineConfigError``."""
    rows = ["| file | protocol | maker | models | source |", "|---|---|---|---|---|"]
    for folder, model in FOLDERS:
        for name in packaged_names("devices", folder):
            found, problems = read_packaged(model, "devices", folder, f"{name}.yaml")
            if found is None:
                raise LineConfigError(problems)
            models = ", ".join(found.models)
            rows.append(
                f"| {folder}/{found.id} | {found.protocol} | {found.maker} | {models} | {found.source} |"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    print(device_table())  # noqa: T201 - a generator's output
