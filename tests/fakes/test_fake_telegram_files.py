"""Photos, documents and downloads on the fake."""

import aiohttp
import pytest

from tests.fakes.calling import PNG, Line, telegram


async def _download(line: Line, file_id: str) -> bytes:
    path = (await line.ok("getFile", file_id=file_id))["file_path"]
    url = f"{line.server.url}/file/bot{line.server.token}/{path}"
    async with line.session.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_photo_of_a_person_in_all_sizes() -> None:
    """The update lists every size with its own file; each can be downloaded."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        small = {(90, 67): b"small"}
        await chat.photo(ana, b"large", sizes=((90, 67), (800, 600)), contents=small, caption="/what is it")
        message = (await line.ok("getUpdates"))[0]["message"]
        contents = [await _download(line, size["file_id"]) for size in message["photo"]]
    assert contents == [b"small", b"large"]
    assert [size["width"] for size in message["photo"]] == [90, 800]
    assert message["caption"] == "/what is it"
    assert message["caption_entities"][0]["type"] == "bot_command"


async def test_document_of_a_person() -> None:
    """Name, type and size are told; one too large to download is refused by getFile."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await chat.document(ana, "notes.txt", b"hello", "text/plain")
        await chat.document(ana, "film.bin", b"x", size=21 * 1024 * 1024)
        notes, film = [update["message"]["document"] for update in await line.ok("getUpdates")]
        content = await _download(line, notes["file_id"])
        refused = await line.error("getFile", file_id=film["file_id"])
        unknown = await line.error("getFile", file_id="nothing")
    assert (notes["file_name"], notes["mime_type"], notes["file_size"]) == ("notes.txt", "text/plain", 5)
    assert content == b"hello"
    assert refused == (400, "Bad Request: file is too big")
    assert unknown == (400, "Bad Request: invalid file_id")


@pytest.mark.parametrize(
    "kind", ["voice", "audio", "video", "video_note", "sticker", "location", "contact", "dice"]
)
async def test_other_things_people_send(kind: str) -> None:
    """Each comes as its own field of a message, in a shape that the models know."""
    async with telegram() as (server, line):
        ana = server.person(1)
        await server.private(ana).other(ana, kind)
        message = (await line.ok("getUpdates"))[0]["message"]
    assert message[kind]
    assert "text" not in message


async def test_uploads_of_the_bot() -> None:
    """What the bot uploads is what the person gets, with its caption; it can be sent again by identifier."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        photo = await line.ok("sendPhoto", chat_id=1, photo=PNG, caption="<b>x</b>", parse_mode="HTML")
        again = await line.ok("sendPhoto", chat_id=1, photo=photo["photo"][0]["file_id"])
        document = await line.ok("sendDocument", chat_id=1, document=b"a,b")
        files = [message.file for message in chat.answers]
    assert files == [PNG, PNG, b"a,b"]
    assert (photo["photo"][0]["width"], photo["photo"][0]["height"]) == (2, 3)
    assert chat.answers[0].covered("bold") == ["x"]
    assert again["photo"][0]["file_id"] == photo["photo"][0]["file_id"]
    assert document["document"]["file_name"] == "document.bin"


async def test_attached_upload() -> None:
    """A file may stand in a part of its own, named by `attach://`."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        form = aiohttp.FormData({"chat_id": "1", "document": "attach://part"})
        form.add_field("part", b"inside", filename="named.txt")
        async with line.session.post(line.url("sendDocument"), data=form) as answer:
            assert answer.status == 200
        assert chat.answers[0].file == b"inside"
        assert server.violations == []


async def test_uploads_refused() -> None:
    """Empty files, photos that are none, and captions that are too long."""
    async with telegram() as (server, line):
        server.private(server.person(1))
        empty = await line.error("sendDocument", chat_id=1, document=b"")
        no_image = await line.error("sendPhoto", chat_id=1, photo=b"not an image")
        caption = await line.error("sendPhoto", chat_id=1, photo=PNG, caption="x" * 1025)
        await line.ok("sendPhoto", chat_id=1, photo=PNG, caption="x" * 1024)
    assert empty == (400, "Bad Request: file must be non-empty")
    assert no_image == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    assert caption == (400, "Bad Request: message caption is too long")


async def test_download_needs_the_path_and_the_token() -> None:
    """Nothing is served for a wrong path or token."""
    async with telegram() as (server, line):
        base = f"{server.url}/file/bot"
        async with line.session.get(f"{base}{server.token}/documents/file_9.txt") as missing:
            assert missing.status == 404
        async with line.session.get(f"{base}1:wrong/documents/file_0.txt") as stranger:
            assert stranger.status == 401
