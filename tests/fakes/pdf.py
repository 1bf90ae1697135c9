"""PDFs as they lie on people's disks, written by hand: words, pictures of pages, a password, damage."""

import io
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter

PICTURE = b"q 200 0 0 200 72 500 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x80 EI Q"


def pdf(*pages: str) -> bytes:
    """A page for each text; its lines one below the other, in the encoding that Windows writes."""
    return _written([_words(page) for page in pages])


def scanned(pages: int = 1) -> bytes:
    """Pages that are pictures."""
    return _written([PICTURE] * pages)


def locked(data: bytes, password: str, *, owner: str = "owner") -> bytes:
    """It asks for a password; with an empty one everybody may read and only its owner change it."""
    writer = PdfWriter(PdfReader(io.BytesIO(data)))
    writer.encrypt(password, owner, algorithm="AES-256")
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def _words(text: str) -> bytes:
    lines = b" T* ".join(b"(" + _escaped(line) + b") Tj" for line in text.split("\n"))
    return b"BT /F1 12 Tf 14 TL 72 720 Td " + lines + b" ET"


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _written(contents: Sequence[bytes]) -> bytes:
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(contents)))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n, content in enumerate(contents):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
        bodies.append(page.encode() + b"/Resources << /Font << /F1 3 0 R >> >> >>")
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    made = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(made))
    return bytes(made) + head + table + tail
