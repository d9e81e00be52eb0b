"""`beltkeeper keys`: API keys, on the machine itself only. The gateway may run or not."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from edge.cli_options import data_place, people_language

if TYPE_CHECKING:
    from collections.abc import Mapping

OK: Final = 0
FAILED: Final = 1
BAD_ENVIRONMENT: Final = 3

app = typer.Typer(
    name="keys",
    help="List, add and withdraw API keys: two of one client are good at once, so that a key can be changed"
    " without a gap.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The client's name, for example erp-1.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", readable=False, help="Folder of the line's state; default: /var/lib/beltkeeper."),
]

SENTENCES: Final[dict[str, dict[str, str]]] = {
    "added": {
        "en": "New key of {name} ({role}), in force now, shown only this once:",
        "zh": "{name}（{role}）的新密钥，立即生效，仅此一次显示：",
    },
    "withdrawn": {
        "en": "The key {fingerprint} of {name} is withdrawn.",
        "zh": "已撤销 {name} 的密钥 {fingerprint}。",
    },
    "name_invalid": {
        "en": "a name is 1 to 32 of a-z, 0-9, '.', '_', '-', and begins with a letter or digit",
        "zh": "名称为 1 至 32 个字符，只能用 a-z、0-9、“.”、“_”、“-”，且以字母或数字开头",
    },
    "role_unknown": {"en": "there is no such role; roles are {roles}", "zh": "没有该角色；可用角色：{roles}"},
    "role_differs": {
        "en": "{name} has a key of role {role}; a second one has the same, or takes another name",
        "zh": "{name} 已有角色为 {role} 的密钥；第二个密钥须为同一角色，或另取名称",
    },
    "two_stand": {
        "en": "{name} has two keys already: withdraw the old one first",
        "zh": "{name} 已有两个密钥：请先撤销旧的",
    },
    "too_many": {
        "en": "there are {most} keys already: withdraw some",
        "zh": "密钥已达 {most} 个：请先撤销一些",
    },
    "no_such_key": {
        "en": "{name} has no such key; `beltkeeper keys list` shows them",
        "zh": "{name} 没有这样的密钥；用 beltkeeper keys list 查看",
    },
    "which_key": {
        "en": "two keys fit: say which by its fingerprint ({which})",
        "zh": "有两个密钥符合：请用指纹指明（{which}）",
    },
    "gateway_silent": {
        "en": "the gateway holds the inbox but does not answer on its console: run this as its user or root",
        "zh": "网关占用收件箱但未在控制台应答：请以网关用户或 root 运行",
    },
}


def _text(word: str, values: "Mapping[str, Any]") -> str:
    return SENTENCES[word][people_language().value].format(**values)


def _ask(data: Path | None, question: dict[str, str]) -> dict[str, Any]:
    """The answer; a refusal ends the command with exit code 1."""
    from api.console import UMASK, ask

    os.umask(UMASK)
    try:
        answer = ask(data_place(data, None), question)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"beltkeeper keys: {error}\n")
        raise typer.Exit(BAD_ENVIRONMENT) from None
    if "refused" in answer:
        sys.stderr.write(f"beltkeeper keys: {_text(answer['refused'], answer['values'])}\n")
        raise typer.Exit(FAILED)
    return answer


@app.command(name="list")
def list_keys(data: DataOption = None) -> None:
    """Names, roles and fingerprints; the keys themselves are stored nowhere."""
    for key in _ask(data, {"do": "list"})["keys"]:
        since = datetime.fromtimestamp(key["added_utc_us"] / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        sys.stdout.write(f"{key['fingerprint']}  {since}  {key['role']:<12}  {key['name']}\n")


@app.command()
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="erp, viewer, operator or maintenance.")],
    data: DataOption = None,
) -> None:
    """Make a key. Only the key goes to stdout."""
    added = _ask(data, {"do": "add", "name": name, "role": role})["added"]
    sys.stderr.write(_text("added", added) + "\n")
    sys.stdout.write(added["text"] + "\n")


@app.command()
def withdraw(
    name: NameArgument,
    fingerprint: Annotated[str, typer.Argument(metavar="[FINGERPRINT]", help="Of two, which one.")] = "",
    data: DataOption = None,
) -> None:
    """Take a key out of force, at once."""
    question = {"do": "withdraw", "name": name, "fingerprint": fingerprint}
    gone = _ask(data, question)["withdrawn"]
    sys.stdout.write(_text("withdrawn", gone) + "\n")
