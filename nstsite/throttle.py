"""A limit on new participants from one network, so that no program fills a study with empty sessions.

The network address is not stored. Counters are named by a keyed hash of network and minute, and stay in the cache for
two minutes. The minute is part of the hash, so that different minutes of one person cannot be linked.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

#: 65,536 counters of a kind a minute.
_COUNTER_DIGITS: Final = 4


class StartThrottle:
    """Middleware: answer 429 to more than STARTS_PER_MINUTE starts from one network."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        """Refuse a start beyond the limit. All other requests pass."""
        match = request.resolver_match
        starts = request.method == "POST" and match is not None and match.url_name == "participant"
        limit = settings.STARTS_PER_MINUTE
        if not (starts and limit) or count(request, "starts") <= limit:
            return None
        return too_many(
            _("Too many people are starting from this network just now. Please try again in a minute.")
        )


def too_many(text: str) -> HttpResponse:
    """Return a refusal that says when to try again."""
    return HttpResponse(
        text, status=429, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"}
    )


def count(request: HttpRequest, kind: str) -> int:
    """Count a request of a kind, and return how many came from its network in this minute."""
    minute = int(time.time()) // 60
    digest = salted_hmac("nstsite.throttle", f"{minute} {client_network(request)}").hexdigest()
    # The number of counters is fixed and below the cache's limit, so that no counter is evicted. Two networks may share
    # a counter, but only for one minute.
    key = f"{kind}-{minute % 4}-{digest[:_COUNTER_DIGITS]}"
    cache.add(key, 0, timeout=120)
    return cache.incr(key)


def client_network(request: HttpRequest) -> str:
    """Return the network of a client: its IPv4 address, or its /64 for IPv6.

    One IPv6 client usually has 2**64 addresses.
    """
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        # A socket file, or an invalid value from a proxy: these count as one network.
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address)


def client_address(request: HttpRequest) -> str:
    """Return the client's address as the outermost of TRUSTED_PROXIES saw it, not as the client claims."""
    own = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    return hops[-trusted] if trusted and len(hops) >= trusted else own
