"""The generated part of docs/line-configuration.md: ``python -m line_config.manual`` prints it."""

from line_config.device_files import CameraFile, PlcFile, ScaleFile, ScannerFile
from line_config.load import read_packaged
from line_config.packaged import packaged_names
from line_config.problems import LineConfigError

FOLDERS: tuple[tuple[str, type[PlcFile] | type[ScaleFile] | type[ScannerFile] | type[CameraFile]], ...] = (
    ("plc", PlcFile),
    ("scales", ScaleFile),
    ("scanners", ScannerFile),
    ("cameras", CameraFile),
)


def device_table() -> str:
    """Supported devices as a Markdown table, one row a device file. Raises ``LineConfigError``.

    Scanners say what they were verified against; the others against their source.
    """
    rows = ["| file | protocol | maker | models | source | verified by |", "|---|---|---|---|---|---|"]
    for folder, model in FOLDERS:
        for name in packaged_names("devices", folder):
            found, problems = read_packaged(model, "devices", folder, f"{name}.yaml")
            if found is None:
                raise LineConfigError(problems)
            models = ", ".join(found.models)
            verified = found.verified if isinstance(found, ScannerFile) else "source"
            named = f"{folder}/{found.id} | {found.protocol} | {found.maker}"
            rows.append(f"| {named} | {models} | {found.source} | {verified} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(device_table())  # noqa: T201 - a generator's output
