"""The site on a local server that writes the dashboards again when the warehouse changes."""

import threading
import time
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb

from ingest.docs.site import docs, refresh
from ingest.errors import IngestError
from ingest.load import warehouse

_POLL_SECONDS = 2.0
# The page asks whether it is out of date. Only pages from this server do; the site asks nothing.
_RELOAD = b"""<script>
let version;
setInterval(async () => {
  const now = await (await fetch("/version")).text().catch(() => version);
  if (version && now !== version) location.reload();
  version = now;
}, 2000);
</script>"""


class _State:
    """What the server and the watcher share."""

    version = 0


def serve(warehouse_path: Path, out: Path, port: int, *, has_names: bool = False) -> None:
    """Serve the site on 127.0.0.1 until interrupted, and open its first dashboard.

    Args:
        warehouse_path: the DuckDB file; its published copy is read and watched if there is one.
        out: the folder of the site; it is written first if it has no dashboards.
        port: of the server.
        has_names: show names of accounts, deals and people.

    Raises:
        IngestError: there is no warehouse, or the site cannot be written.
    """
    warehouse.require(warehouse_path)
    copy = warehouse.published(warehouse_path)
    watched = copy if copy.is_file() else warehouse_path
    if (out / "executive.html").exists():
        refresh(warehouse_path, out, has_names=has_names)
    else:
        docs(warehouse_path, out, has_names=has_names)
    state = _State()
    write = partial(refresh, warehouse_path, out, has_names=has_names)
    watcher = threading.Thread(target=watch, args=(watched, write, state), daemon=True)
    watcher.start()
    handler = partial(_Handler, state, directory=str(out))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise IngestError(f"port {port} is in use; choose another one with --port") from error
    address = f"http://127.0.0.1:{port}/executive.html"
    print(f"{address}\nCtrl-C ends it.", flush=True)
    webbrowser.open(address)
    with server:
        server.serve_forever()


def watch(path: Path, write: Any, state: _State, *, rounds: int | None = None) -> None:
    """Write the dashboards again when the file has changed and is no longer being written.

    Args:
        path: the file to watch.
        write: writes the dashboards.
        state: counts the versions, by which open pages reload.
        rounds: end after so many looks; never if None.
    """
    seen = _stamp(path)
    while rounds is None or rounds > 0:
        rounds = None if rounds is None else rounds - 1
        time.sleep(_POLL_SECONDS)
        now = _stamp(path)
        if now == seen:
            continue
        try:
            write()
        except (IngestError, duckdb.Error) as error:
            # A build holds the file; the next look tries again.
            print(f"not yet: {error}", flush=True)
            continue
        seen = now
        state.version += 1
        print("the dashboards are up to date", flush=True)


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when the file is written or replaced."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, state: _State, *args: Any, **options: Any) -> None:
        self._state = state
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if self.path == "/version":
            self._send(str(self._state.version).encode(), "text/plain")
        elif path.suffix == ".html" and path.is_file():
            self._send(path.read_bytes() + _RELOAD, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def _send(self, text: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing: the output is about the warehouse."""
