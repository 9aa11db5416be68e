"""An app whose answer never ends, as an event stream's does not."""

import asyncio
import gc
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
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


@app.post("/said")
async def said(request: Request) -> dict[str, object]:
    """The headers as they are once the body was read, its length, and who asks."""
    body = await request.body()
    names = sorted({name for name, _ in request.headers.items()})
    return {"headers": names, "bytes": len(body), "client": request.client and request.client.host}


async def _lines() -> AsyncIterator[str]:
    yield "begun\n"
    await asyncio.Event().wait()
