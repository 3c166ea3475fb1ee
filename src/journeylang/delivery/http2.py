"""HTTP/2 to one host, at addresses that were looked at: for those that take nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import httpx


class Http2Transport(httpx.AsyncBaseTransport):
    """As `PinnedTransport`, by httpx's own HTTP/2: many requests share one connection."""

    def __init__(
        self,
        *,
        addresses: Sequence[str],
        server_name: str,
        timeout: float,
        ca: str | None = None,
    ) -> None:
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._inner = httpx.AsyncHTTPTransport(
            http1=False, http2=True, verify=context, trust_env=False
        )
        self._addresses = addresses
        self._server_name = server_name
        self._timeout = timeout

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {
            **request.extensions,
            "sni_hostname": self._server_name,
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout),
        }
        failed: httpx.ConnectError | None = None
        for address in self._addresses:
            request.url = request.url.copy_with(host=address)
            try:
                async with asyncio.timeout(self._timeout):
                    response = await self._inner.handle_async_request(request)
                    await response.aread()
            except httpx.ConnectError as error:
                failed = error
                continue
            except TimeoutError:
                raise httpx.ReadTimeout("no answer in time", request=request) from None
            return response
        raise failed or httpx.ConnectError("no address", request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()
