"""An ASGI application that answers 13 bytes to everything, for Hypercorn."""

HELLO = b"hello, world\n"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(HELLO))]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": HELLO})
