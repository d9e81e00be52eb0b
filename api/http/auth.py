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
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers

from api.http.problems import Problem, Slug


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


GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ERP: frozenset({Permission.READ, Permission.WRITE_ORDERS, Permission.WRITE_PLANS}),
    Role.VIEWER: frozenset({Permission.READ, Permission.METRICS}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.METRICS, Permission.OPERATE}),
    Role.MAINTENANCE: frozenset(
        {Permission.READ, Permission.METRICS, Permission.OPERATE, Permission.WRITE_PLANS}
    ),
}

REQUIRED: Final[dict[tuple[str, str], Permission]] = {
    ("PUT", "/v1/orders/{order_no}"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders:batch"): Permission.WRITE_ORDERS,
    ("GET", "/v1/orders/{order_no}"): Permission.READ,
    ("POST", "/v1/orders/{order_no}/cancel"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders/{order_no}/hold"): Permission.WRITE_ORDERS,
    ("POST", "/v1/orders/{order_no}/release"): Permission.WRITE_ORDERS,
    ("GET", "/v1/cancels/{message_id}"): Permission.READ,
    ("PUT", "/v1/goods/{sku}"): Permission.WRITE_ORDERS,
    ("POST", "/v1/goods:batch"): Permission.WRITE_ORDERS,
    ("PUT", "/v1/plans/{plan_id}"): Permission.WRITE_PLANS,
    ("POST", "/v1/plans/{plan_id}/activate"): Permission.WRITE_PLANS,
    ("POST", "/v1/line/commands"): Permission.OPERATE,
    ("GET", "/v1/parcels/{waybill}"): Permission.READ,
    ("GET", "/metrics"): Permission.METRICS,
    ("GET", "/metrics/line"): Permission.METRICS,
    ("GET", "/docs"): Permission.READ,
    ("GET", "/docs/oauth2-redirect"): Permission.READ,
}
"""(method, route template) → what it takes. ``/health`` alone is open."""

OPEN_PATHS: Final = frozenset({"/health"})
BROWSER_PREFIXES: Final = ("/docs", "/static-offline-docs/", "/openapi.json")
"""Pages a browser opens: here, and for GET only, the key may come as the password of HTTP Basic."""

KEY_BYTES: Final = 32
KEY_PREFIX: Final = "bk_"
KEY_TEXT_MAX: Final = 128
KEYS_MAX: Final = 64
KEYS_FILE_MAX_BYTES: Final = 64 * 1024


class KeysUnreadable(Exception):
    """The key file is broken; the gateway does not start. The text names file and cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The key that asked; ``id`` goes on record as *by*."""

    id: str
    role: Role

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; ``text`` is shown once and stored nowhere but in the file named by its maker."""

    id: str
    role: Role
    text: str


class StoredKey(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    role: Annotated[Role, Field(strict=False)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


_STORED_KEYS = TypeAdapter(Annotated[list[StoredKey], Field(max_length=KEYS_MAX)])


class KeyRing:
    """The keys in force. Read once at start."""

    def __init__(self, keys: Iterable[StoredKey]) -> None:
        self._keys = tuple((bytes.fromhex(key.sha256), Caller(id=key.id, role=key.role)) for key in keys)

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
        browser = method == "GET" and path.startswith(BROWSER_PREFIXES)
        caller = self.caller_of(_key_text(headers, basic=browser))
        if caller is None:
            scheme = 'Basic realm="beltkeeper"' if browser else 'Bearer realm="beltkeeper"'
            raise Problem(Slug.UNAUTHENTICATED, headers={"WWW-Authenticate": scheme})
        return caller


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


def issue_key(key_id: str, role: Role) -> tuple[IssuedKey, StoredKey]:
    """A fresh key of 256 bits, and what of it is stored."""
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return IssuedKey(id=key_id, role=role, text=text), StoredKey(id=key_id, role=role, sha256=digest)


def load_keys(path: Path) -> KeyRing:
    """Raises ``KeysUnreadable``; a file that others may read is refused too."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeysUnreadable(f"{path}: others may read it; run chmod 600 {path}")
            raw = file.read(KEYS_FILE_MAX_BYTES + 1)
        if len(raw) > KEYS_FILE_MAX_BYTES:
            raise KeysUnreadable(f"{path}: larger than {KEYS_FILE_MAX_BYTES} bytes")
        keys = _STORED_KEYS.validate_json(raw)
    except OSError as error:
        raise KeysUnreadable(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise KeysUnreadable(f"{path}: {where}: {first['msg']}") from error
    if len({key.id for key in keys}) != len(keys):
        raise KeysUnreadable(f"{path}: two keys have one id")
    return KeyRing(keys)


def create_first_keys(keys_file: Path, plain_file: Path) -> tuple[IssuedKey, ...]:
    """First start: one key for the ERP, one for the operator. Hashes go to ``keys_file``, the texts to
    ``plain_file`` (both 0600, never overwritten), from where a person takes and deletes them."""
    pairs = [issue_key("erp-1", Role.ERP), issue_key("operator-1", Role.OPERATOR)]
    issued = tuple(pair[0] for pair in pairs)
    _write_private(plain_file, {key.id: key.text for key in issued})
    _write_private(keys_file, [pair[1].model_dump(mode="json") for pair in pairs])
    return issued


def _write_private(path: Path, content: object) -> None:
    """Whole or not at all: written aside, made durable, then named."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
