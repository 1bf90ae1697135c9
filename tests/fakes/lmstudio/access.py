"""Who may ask: API tokens on HTTP and on WebSockets."""

import re

from aiohttp import web

from tests.fakes.lmstudio.catalog import Json
from tests.fakes.lmstudio.exchange import Core, Exchange
from tests.fakes.lmstudio.wire import ApiError, native_error

TOKEN = re.compile(r"^sk-lm-([a-zA-Z0-9]{8}):([a-zA-Z0-9]{20})$")
MISSING = (
    "An LM Studio API token is required to make requests to this server, but none was provided using the "
    "Authorization header using the 'Bearer' scheme. Create a token in LM Studio's server settings."
)


def refusal(x: Exchange) -> ApiError | None:
    """The 401 this request gets, if any."""
    wanted = x.switches.token
    if wanted is None:
        return None
    given = _given(x.request)
    if given == wanted:
        return None
    shown = f"{given[:10]}****" if given is not None else ""
    message = MISSING if given is None else f"Malformed LM Studio API token provided: {shown}"
    return native_error(401, message, "invalid_request", "invalid_api_key")


def _given(request: web.BaseRequest) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") if request.path == "/v1/messages" else None


def socket_refusal(core: Core, frame: Json) -> str | None:
    """Why the first frame of a socket is not accepted; None: it is."""
    identifier, passkey = frame.get("clientIdentifier"), frame.get("clientPasskey")
    if frame.get("authVersion") != 1:
        return "Invalid authentication version."
    if not (isinstance(identifier, str) and isinstance(passkey, str)):
        return "Invalid authentication packet."
    if max(len(identifier), len(passkey)) > 256:
        return "Invalid authentication packet."
    if core.switches.token is not None:
        match = TOKEN.match(core.switches.token)
        if match is None or match.groups() != (identifier, passkey):
            return "Invalid LM Studio API token."
    elif core.pins.get(identifier, (passkey, 0))[0] != passkey:
        return "Invalid client passkey."
    return None


def pin(core: Core, identifier: str, passkey: str) -> None:
    """The first passkey used for an identifier holds as long as a client of it is connected."""
    held = core.pins.get(identifier, (passkey, 0))[1]
    core.pins[identifier] = (passkey, held + 1)


def unpin(core: Core, identifier: str) -> None:
    passkey, held = core.pins[identifier]
    if held > 1:
        core.pins[identifier] = (passkey, held - 1)
    else:
        del core.pins[identifier]
