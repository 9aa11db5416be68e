"""The notify service: recipients, messages to them, and news for whoever follows something."""

from pathlib import Path

from fastapi import FastAPI

from libs.contracts.topology import HOOKS
from libs.httpkit.app import create_app
from libs.servicekit.settings import Settings
from services.notify.api import ROUTERS
from services.notify.consumers import SUBSCRIPTIONS
from services.notify.jobs import jobs
from services.notify.service import Notify


def create() -> FastAPI:
    """Assemble the service from the environment."""
    settings = Settings.load("notify")
    notify = Notify(settings)
    app = create_app(
        "notify",
        title="Coburg Digital: notify",
        migrations=Path(__file__).parent / "migrations",
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        listeners=[HOOKS],
        preparations=[notify.publish_keys],
        jobs=jobs(notify),
        settings=settings,
        costs={"/v1/feeds": 5},  # hundreds of things in one answer
    )
    app.state.notify = notify
    return app


app = create()
