"""Signed links at the HTTP edge: the header `Link-Token`, and who may do something by a token or by a link."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from libs.httpkit.auth import Anyone
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.links import Links, links_of
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr


def _of_service(request: Request) -> Links:
    return links_of(request.app.state.kit.settings)


Signing = Annotated[Links, Depends(_of_service)]
LinkToken = Annotated[
    CleanStr | None,
    Header(
        alias="Link-Token", max_length=400, description="The token of a signed link, as a message brought it."
    ),
]


def by_token_or_link(use: str) -> Any:
    """A dependency: the caller, or the id of the thing that a link of this use opens; Unauthenticated for neither."""

    def read(caller: Anyone, links: Signing, token: LinkToken = None) -> Principal | str:
        if token is not None:
            return links.read(use, token)
        if caller is None:
            raise Unauthenticated(f"This needs an access token, or the token of a {use}'s link.")
        return caller

    return Depends(read)
