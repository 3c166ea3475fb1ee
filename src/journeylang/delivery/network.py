"""Whom requests may reach: the host that the settings name, at addresses that were looked at.

The name is resolved once per delivery, and connections are made to the addresses that it had
then, so that a name that changes meanwhile leads nowhere else. Addresses of private networks are
refused unless `private = true` says otherwise, and so is what is not encrypted.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from journeylang.classes import dataclass
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.outcome import Refused, TryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Scheme, name and port; `path` stands before every request's own."""

    secure: bool
    name: str
    port: int
    path: str = ""
    private: bool = False

    @property
    def authority(self) -> str:
        """As the header `Host` has it."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def host(url: str, *, private: bool, setting: str = "base_url") -> Host:
    """The host of a URL.

    Raises:
        SettingError: it is none that may be asked.
    """
    wrong = f"`{setting}` is no address like `https://hooks.acme.example/loyalty`"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingError(wrong) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        raise SettingError(wrong)
    if parts.username is not None or parts.password is not None:
        raise SettingError(f"`{setting}` has a password in it; secrets have settings of their own")
    if parts.scheme == "http" and not private:
        raise SettingError(
            f"`{setting}` is not encrypted: `https://…`, or `private = true` for tests"
        )
    return Host(
        secure=parts.scheme == "https",
        name=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        path=parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else ""),
        private=private,
    )


def resolve(host: Host) -> tuple[str, ...] | Refused | TryLater:
    """The addresses that connections may be made to."""
    try:
        entries = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return TryLater(detail=f"the host `{host.name}` is not known", of_channel=True)
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not host.private and not all(map(is_public, addresses)):
        return Refused(
            kind="config",
            detail=f"`{host.name}` is an address of a private network (`private = true` allows it)",
        )
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, and reached as such."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_global and not inner.is_multicast
