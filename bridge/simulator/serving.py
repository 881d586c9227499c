"""Runs a simulator with uvicorn so that it can cut connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uvicorn

from bridge.simulator.app import build
from bridge.simulator.exchange import TRANSPORT
from bridge.simulator.keys import PUBLIC_KEY_FILE

if TYPE_CHECKING:
    import asyncio
    import socket

    from starlette.applications import Starlette

    from bridge.simulator.options import Options

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol
except ImportError:  # pragma: no cover - where there are no wheels of httptools
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol  # type: ignore[assignment]


class CuttableProtocol(Protocol):
    """Passes the connection to the application, as an extension of the scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by uvicorn for a new connection."""
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


class Server(uvicorn.Server):
    """A server that writes its port to a file when it listens."""

    def __init__(self, config: uvicorn.Config, options: Options, app: Starlette) -> None:
        super().__init__(config)
        self.app = app
        self.options = options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and write the port to the file."""
        await super().startup(sockets)
        if not self.started:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        self.app.state.simulation.media.url = _announce(self.options, port)
        if self.options.port_file:
            # Written to another name and renamed, so that nobody reads half of it.
            unfinished = self.options.port_file.with_suffix(".writing")
            unfinished.write_text(f"{port}\n")
            unfinished.replace(self.options.port_file)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; open pages are informed first."""
        self.app.state.stop()
        await super().shutdown(sockets)


def _announce(options: Options, port: int) -> str:
    """Print the page's address, and the settings for a bridge that uses this simulator; returns the address."""
    host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host  # noqa: S104 - not bound here
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    keys = options.state_dir / PUBLIC_KEY_FILE
    print(f"sandbox    {url}/", flush=True)  # noqa: T201 - for a person
    print(f"webhooks   to {options.defaults.webhook_url or 'nowhere: no --webhook-url was given'}", flush=True)  # noqa: T201
    print("bridge     in another terminal, with all of this before `ghl-bridge up`:", flush=True)  # noqa: T201
    services = f"GHL_API_URL={url} GHL_WEBHOOK_KEYS={keys} ASSISTABLE_URL={url}/v2/ghl-chat-completion"
    print(f"           {services}", flush=True)  # noqa: T201
    return url


def server(options: Options) -> Server:
    """Make a server that is ready to run, without access logs, and with the application's `Date` header."""
    app = build(options)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        http=CuttableProtocol,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return Server(config, options, app)


def run(options: Options) -> None:
    """Run until a signal stops it."""
    server(options).run()
