"""The picture of a request: the file of the form's field ``image``, or the body itself."""

from starlette.requests import Request


async def sent_image(request: Request) -> bytes:
    """Return its content, as a dependency of FastAPI."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            return await form["image"].read()
    return await request.body()
