"""Who is asking, and what that key may do: one table makes the checks and the test matrix.

Keys are 256 random bits; only their SHA-256 is stored. Two keys of one role may stand at once, so
that a key can be changed without a gap. Deny by default: what no row of ``REQUIRED`` names, nobody
may call.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers

from api.http.problems import Problem, Slug
from edge.model.units import UtcUs
from edge.store.inbox_types import Actor, ApiKey


class Role(StrEnum):
    """Roles of reliability.md's matrix that a machine key can have."""

    ERP = "erp"
    VIEWER = "viewer"
    OPERATOR = "operator"
    MAINTENANCE = "maintenance"


class Permission(StrEnum):
    READ = "read"
    WRITE_ORDERS = "write_orders"
    WRITE_PLANS = "write_plans"
    OPERATE = "operate"
    METRICS = "metrics"
    AUDIT = "audit"


GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ERP: frozenset({Permission.READ, Permission.WRITE_ORDERS, Permission.WRITE_PLANS}),
    Role.VIEWER: frozenset({Permission.READ, Permission.METRICS}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.METRICS, Permission.OPERATE}),
    Role.MAINTENANCE: frozenset(
        {
            Permission.READ,
            Permission.METRICS,
            Permission.OPERATE,
            Permission.WRITE_PLANS,
            Permission.AUDIT,
        }
    ),
}

REQUIRED: Final[dict[tuple[str, str], Permission]] = {
    ("PUT", "/v1/orders/{order_no}"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders:batch"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders:import"): Permission.WRITE_ORDERS,
    ("GET", "/v1/orders/{order_no}"): Permission.READ,
    ("POST", "/v1/orders/{order_no}/cancel"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders/{order_no}/hold"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders/{order_no}/release"): Permission.WRITE_ORDERS,
    ("GET", "/v1/cancels/{message_id}"): Permission.READ,
    ("PUT", "/v1/goods/{sku}"): Permission.WRITE_ORDERS,
    ("POST", "/v1/goods:batch"): Permission.WRITE_ORDERS,
    ("PUT", "/v1/plans/{plan_id}"): Permission.WRITE_PLANS,
    ("POST", "/v1/plans/{plan_id}/import"): Permission.WRITE_PLANS,
    ("POST", "/v1/plans/{plan_id}/activate"): Permission.WRITE_PLANS,
    ("POST", "/v1/line/commands"): Permission.OPERATE,
    ("GET", "/v1/coding"): Permission.READ,
    ("POST", "/v1/coding/{track}"): Permission.OPERATE,
    ("GET", "/v1/line"): Permission.READ,
    ("GET", "/v1/line/chutes"): Permission.READ,
    ("GET", "/v1/line/devices"): Permission.READ,
    ("GET", "/v1/line/alarms"): Permission.READ,
    ("GET", "/v1/parcels"): Permission.READ,
    ("GET", "/v1/parcels.csv"): Permission.READ,
    ("GET", "/v1/parcels/{waybill}"): Permission.READ,
    ("GET", "/v1/exits"): Permission.READ,
    ("GET", "/v1/tracks/{track}"): Permission.READ,
    ("GET", "/v1/no-reads"): Permission.READ,
    ("GET", "/v1/tracks/{track}/pictures"): Permission.READ,
    ("GET", "/v1/tracks/{track}/pictures/{reader}"): Permission.READ,
    ("GET", "/v1/changes"): Permission.AUDIT,
    ("GET", "/v1/events"): Permission.READ,
    ("GET", "/v1/events/stream"): Permission.READ,
    ("GET", "/v1/relay"): Permission.READ,
    ("GET", "/v1/relay/dead-letters"): Permission.READ,
    ("POST", "/v1/relay/dead-letters/{letter}/resend"): Permission.OPERATE,
    ("GET", "/"): Permission.READ,
    ("GET", "/live/now"): Permission.READ,
    ("GET", "/live/stream"): Permission.READ,
    ("POST", "/live/acknowledge"): Permission.OPERATE,
    ("GET", "/parcel/{track}"): Permission.READ,
    ("GET", "/coding"): Permission.READ,
    ("GET", "/coding/now"): Permission.READ,
    ("GET", "/coding/stream"): Permission.READ,
    ("GET", "/coding/picture/{track}/{reader}"): Permission.READ,
    ("POST", "/coding/{track}"): Permission.OPERATE,
    ("GET", "/search"): Permission.READ,
    ("GET", "/static/{name}"): Permission.READ,
    ("GET", "/metrics"): Permission.METRICS,
    ("GET", "/metrics/line"): Permission.METRICS,
}
"""(method, route template) → what it takes. ``/health`` alone is open."""

OPEN_PATHS: Final = frozenset({"/health"})
BROWSER_PREFIXES: Final = (
    ("GET", "/docs"),
    ("GET", "/static-offline-docs/"),
    ("GET", "/openapi.json"),
    ("GET", "/live/"),
    ("GET", "/parcel/"),
    ("GET", "/search"),
    ("GET", "/coding"),
    ("GET", "/static/"),
    ("POST", "/coding/"),
    ("POST", "/live/acknowledge"),
)
"""What a browser opens or, from our own page only, asks: here the key may come as the password of HTTP
Basic. ``/`` is such a page too."""

KEY_BYTES: Final = 32
KEY_PREFIX: Final = "bk_"
KEY_TEXT_MAX: Final = 128
FIRST_KEYS: Final = (("erp-1", Role.ERP), ("operator-1", Role.OPERATOR))
"""Made at the first start: one for the ERP, one for the operator's station."""


class KeysUnreadable(Exception):
    """A stored key has a role that this build does not know; the gateway does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The key that asked; ``id`` goes on record as *by*."""

    id: str
    role: Role

    @property
    def actor(self) -> Actor:
        """As it goes on record."""
        return Actor(id=self.id, role=self.role.value)

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; ``text`` is shown once and stored nowhere but in the file named by its maker."""

    id: str
    role: Role
    text: str


class KeyRing:
    """The keys in force. Read once at start. Raises ``KeysUnreadable``."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = tuple((key.key_sha256, Caller(id=key.name, role=_role(key))) for key in keys)

    def __len__(self) -> int:
        return len(self._keys)

    def caller_of(self, text: str) -> Caller | None:
        """Every stored hash is compared, in constant time, whichever matches."""
        if not text or len(text) > KEY_TEXT_MAX:
            return None
        asked = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        found: Caller | None = None
        for stored, caller in self._keys:
            if hmac.compare_digest(asked, stored):
                found = caller
        return found

    def authenticate(self, method: str, path: str, headers: Headers) -> Caller:
        """The caller, or ``Problem(UNAUTHENTICATED)``."""
        browser = _for_browsers(method, path)
        caller = self.caller_of(_key_text(headers, basic=browser))
        if caller is None:
            scheme = 'Basic realm="beltkeeper"' if browser else 'Bearer realm="beltkeeper"'
            raise Problem(Slug.UNAUTHENTICATED, headers={"WWW-Authenticate": scheme})
        return caller


def _for_browsers(method: str, path: str) -> bool:
    return (method, path) == ("GET", "/") or any(
        method == asked and path.startswith(prefix) for asked, prefix in BROWSER_PREFIXES
    )


def authorise(caller: Caller, method: str, template: str) -> None:
    """Raises ``Problem(FORBIDDEN)`` unless ``REQUIRED`` and ``GRANTS`` allow it."""
    permission = REQUIRED.get(("GET" if method == "HEAD" else method, template))
    if permission is None or not caller.may(permission):
        raise Problem(Slug.FORBIDDEN)


def _key_text(headers: Headers, *, basic: bool) -> str:
    direct = headers.get("x-api-key", "")
    if direct:
        return direct
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if basic and scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    return ""


def _role(key: ApiKey) -> Role:
    try:
        return Role(key.role)
    except ValueError as error:
        raise KeysUnreadable(f"the key {key.name} has the unknown role {key.role!r}") from error


def issue_key(name: str, role: Role, at_utc_us: UtcUs) -> tuple[IssuedKey, ApiKey]:
    """A fresh key of 256 bits, and what of it is stored."""
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    stored = ApiKey(
        name=name,
        role=role.value,
        key_sha256=hashlib.sha256(text.encode()).digest(),
        added_utc_us=at_utc_us,
    )
    return IssuedKey(id=name, role=role, text=text), stored


def write_first_keys(path: Path, keys: Iterable[IssuedKey]) -> None:
    """``{"name": "text", …}`` for its owner alone (0600), whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({key.id: key.text for key in keys}, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
