"""What the HTTP edges of self-service get from the service that they stand in: `app.state.selfservice`."""

from typing import Annotated

from fastapi import Depends, Request

from libs.selfservice.own import SelfService


def _own(request: Request) -> SelfService:
    own: SelfService = request.app.state.selfservice
    return own


Own = Annotated[SelfService, Depends(_own)]
