"""Keys added, withdrawn and listed, by the local console alone: what the running gateway and the command
without one both do. Every call but ``listed`` puts who asked on record in the same commit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.http.auth import IssuedKey, Role, issue_key
from edge.model.units import UtcUs
from edge.store.inbox_types import Actor, ApiKey
from edge.store.inbox_writer import KEYS_MAX, KEYS_PER_NAME, InboxWriter

NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
ADMIN_ROLE: Final = "admin"


class KeyRefusal(StrEnum):
    """Why the console is refused; nothing has been changed."""

    NAME_INVALID = "name_invalid"
    ROLE_UNKNOWN = "role_unknown"
    ROLE_DIFFERS = "role_differs"
    TWO_STAND = "two_stand"
    TOO_MANY = "too_many"
    NO_SUCH_KEY = "no_such_key"
    WHICH_KEY = "which_key"
    GATEWAY_SILENT = "gateway_silent"


class KeyRefused(Exception):
    """``values`` fill the refusal's sentence."""

    def __init__(self, refusal: KeyRefusal, **values: str) -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.values: Mapping[str, str] = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A console's question, and by whom it is asked."""

    by: Actor
    at_utc_us: UtcUs


def listed(inbox: InboxWriter) -> tuple[ApiKey, ...]:
    return inbox.api_keys()


def added(inbox: InboxWriter, name: str, role: str, asked: Asked) -> IssuedKey:
    """A new key, in force at once; a second one of a client has its role. Raises ``KeyRefused``."""
    if not NAME_PATTERN.fullmatch(name):
        raise KeyRefused(KeyRefusal.NAME_INVALID)
    if role not in set(Role):
        raise KeyRefused(KeyRefusal.ROLE_UNKNOWN, roles=", ".join(Role))
    keys = inbox.api_keys()
    own = [key for key in keys if key.name == name]
    if own and own[0].role != role:
        raise KeyRefused(KeyRefusal.ROLE_DIFFERS, name=name, role=own[0].role)
    if len(own) >= KEYS_PER_NAME:
        raise KeyRefused(KeyRefusal.TWO_STAND, name=name)
    if len(keys) >= KEYS_MAX:
        raise KeyRefused(KeyRefusal.TOO_MANY, most=str(KEYS_MAX))
    issued, stored = issue_key(name, Role(role), asked.at_utc_us)
    assert inbox.add_api_key(stored, asked.by), "nobody else writes"
    return issued


def withdrawn(inbox: InboxWriter, name: str, fingerprint: str, asked: Asked) -> ApiKey:
    """The key, which is refused from now on; ``fingerprint`` may be empty where there is but one. Raises
    ``KeyRefused``."""
    own = [key for key in inbox.api_keys() if key.name == name]
    fit = [key for key in own if not fingerprint or key.fingerprint == fingerprint.lower()]
    if not fit:
        raise KeyRefused(KeyRefusal.NO_SUCH_KEY, name=name)
    if len(fit) > 1:
        raise KeyRefused(KeyRefusal.WHICH_KEY, which=", ".join(key.fingerprint for key in fit))
    assert inbox.remove_api_key(fit[0], asked.by, asked.at_utc_us), "nobody else writes"
    return fit[0]
