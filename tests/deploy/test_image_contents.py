"""What deploy/Dockerfile puts into an image suffices: the service starts from it, answers, and stops cleanly."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from cli.components import SERVICES
from tests.deploy.image import Image
from tests.stack import end, free_port_base


@pytest.fixture(scope="module", params=SERVICES)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(request.param, tmp_path_factory.mktemp(request.param)).build()


@contextlib.contextmanager
def running(image: Image, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """The image's command, with nothing of what the service depends on."""
    with (image.root / "log").open("wb") as log:
        child = subprocess.Popen(image.command(), cwd=image.app, env=environment(image, port), stderr=log)
    try:
        yield child
    finally:
        end(child)


def environment(image: Image, port: int) -> dict[str, str]:
    nowhere = {"COBURG_NATS_URL": "nats://127.0.0.1:9", "COBURG_MEILISEARCH_URL": "http://127.0.0.1:9"}
    here = {"COBURG_HOME": str(image.root / "data"), "UVICORN_HOST": "127.0.0.1", "UVICORN_PORT": str(port)}
    (image.root / "data").mkdir(exist_ok=True)
    return {**image.environment(), **nowhere, **here}


def healthy(image: Image, port: int) -> bool:
    """What HEALTHCHECK says."""
    check = subprocess.run(
        image.healthcheck(), check=False, env=environment(image, port), stderr=subprocess.DEVNULL
    )
    return check.returncode == 0


def test_every_module_of_it_finds_what_it_imports(image: Image) -> None:
    modules = sorted(".".join(path.relative_to(image.app).with_suffix("").parts) for path in sources(image))
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    nowhere = environment(image, 1)
    subprocess.run([image.python, "-c", script, *modules], check=True, cwd=image.app, env=nowhere)


def sources(image: Image) -> Iterator[Path]:
    """Its modules, but migrations, whose names are no identifiers and which are run at the start."""
    for folder in ("libs", f"services/{image.service}"):
        yield from (path for path in (image.app / folder).rglob("*.py") if "migrations" not in path.parts)


def test_the_service_starts_answers_and_stops(image: Image) -> None:
    port = free_port_base()
    assert not healthy(image, port)
    with running(image, port) as child:
        deadline = time.monotonic() + 30
        while not healthy(image, port):
            assert child.poll() is None, (image.root / "log").read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.5)  # each look is a process, as it is for Docker
        assert httpx2.get(f"http://127.0.0.1:{port}/openapi.json").status_code == 200
        assert httpx2.get(f"http://127.0.0.1:{port}/docs").status_code == 200
        child.send_signal(signal.SIGTERM)
        # uvicorn hands the signal on when it has finished.
        assert child.wait(15) in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in (image.root / "log").read_text()


def test_it_holds_nothing_else(image: Image) -> None:
    assert {path.name for path in image.app.iterdir()} == {"libs", "services", "city", "node_modules"}
    services = {path.name for path in (image.app / "services").iterdir()} - {"__pycache__"}
    assert services == {"__init__.py", image.service}


def test_it_brings_the_assets_of_its_page(image: Image) -> None:
    assert (image.app / "node_modules" / "swagger-ui-dist" / "swagger-ui-bundle.js").is_file()
