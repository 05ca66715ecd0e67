"""Who may ask: the page itself, from this machine, and nobody else.

A web site that the trader visits can send requests to 127.0.0.1 too. Unknown Host headers end DNS rebinding,
`Origin` and `Sec-Fetch-Site` reveal requests from other sites, and a token guards an address that other machines reach.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from scalpr_zen.base.errors import ParameterError

COOKIE = "scalpr_token"
TOKEN_LENGTH = 16
POLICY = {
    # plotly.js writes the styles of its charts inline; no script is allowed inline, and none is evaluated.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Address:
    """Where the dashboard listens, and the token without which nobody gets an answer there.

    Raises
    ------
    ParameterError
        If the host is not on this machine and `expose` or the token is missing, or it is not a single address.
    """

    host: str = "127.0.0.1"
    port: int = 5001
    expose: bool = False
    token: str | None = None

    def __post_init__(self) -> None:
        try:
            address = ipaddress.ip_address("127.0.0.1" if self.host == "localhost" else self.host)
        except ValueError:
            raise ParameterError(f"host must be an IP address or localhost, was {self.host!r}") from None
        if not 1 <= self.port <= 65_535:
            raise ParameterError(f"port must be 1 to 65535, was {self.port}")
        if address.is_unspecified:
            raise ParameterError(f"host must be one address of this machine, was {self.host}, which means all of them")
        if not address.is_loopback and not (self.expose and self.token):
            raise ParameterError(
                f"host {self.host} can be reached by other machines: give --expose and --token to allow that"
            )
        if self.token is not None and len(self.token) < TOKEN_LENGTH:
            raise ParameterError(f"token must have at least {TOKEN_LENGTH} characters, had {len(self.token)}")

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self._bracketed}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers that mean this server."""
        names = {self._bracketed}
        if self.host in ("127.0.0.1", "localhost", "::1"):
            names |= {"127.0.0.1", "localhost", "[::1]"}
        return frozenset(f"{name}:{self.port}" for name in names) | (frozenset(names) if self.port == 80 else set())

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def refusal(address: Address, host: str, headers: Mapping[str, str], for_page: bool) -> str | None:
    """Return why a request is not answered, None if it is; other sites may link to the page, and to nothing else."""
    if host not in address.hosts:
        return f"Host {host!r} is not this dashboard: open {address.url}"
    origin = headers.get("Origin")
    if origin is not None and origin not in {f"http://{name}" for name in address.hosts}:
        return f"requests of another site ({origin}) are refused"
    link = for_page and headers.get("Sec-Fetch-Mode") == "navigate"
    if headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not link:
        return "requests of another site are refused"
    return None


def token_fits(address: Address, given: str | None) -> bool:
    """Return whether a request carries the token, in a time that reveals nothing about it."""
    if address.token is None:
        return True
    return given is not None and hmac.compare_digest(given.encode(), address.token.encode())
