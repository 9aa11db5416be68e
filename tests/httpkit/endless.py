"""An app whose answer never ends, as an event stream's does not."""

import asyncio
import gc
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/stream")
async def stream() -> StreamingResponse:
    """One line, and then nothing for ever."""
    return StreamingResponse(_lines())


@app.get("/garbage")
async def garbage() -> dict[str, int | bool]:
    """Whether garbage is looked for, and among how many objects it is not."""
    return {"collected": gc.isenabled(), "kept": gc.get_freeze_count()}


async def _lines() -> AsyncIterator[str]:
    yield "begun\n"
    await asyncio.Event().wait()
