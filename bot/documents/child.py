"""`python child.py LONGEST`: a PDF on standard input, its words as JSON on standard output; at most LONGEST characters.

A process of its own, because a PDF from anybody may be made to take all time and memory there is: this one
may be killed, its memory and time are bounded where the system can do that, and it lets others go first.
"""

import io
import json
import logging
import os
import sys
import warnings
from contextlib import suppress

MEMORY = 1_500_000_000  # bytes
SECONDS = 30


def main() -> None:
    """Read, tell, end."""
    _bound()
    reason, words = read(sys.stdin.buffer.read(), int(sys.argv[1]))
    sys.stdout.write(json.dumps({"reason": reason, "words": words}))


def read(data: bytes, longest: int) -> tuple[str, str]:
    """The reason why not (a value of `reading.Reason`, or nothing), and the words."""
    from pypdf import PdfReader, errors  # noqa: PLC0415  # after the bounds are set

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its words may quote the file
    warnings.simplefilter("ignore")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return "encrypted", ""
        pages: list[str] = []
        length = 0
        for page in reader.pages:
            pages.append(page.extract_text().strip())
            length += len(pages[-1]) + 2
            if length > longest:
                return "too_long", ""
    except errors.FileNotDecryptedError:
        return "encrypted", ""
    except Exception:  # noqa: BLE001  # the library raises nearly anything at files that are none
        return "broken", ""
    words = "\n\n".join(page for page in pages if page)
    return ("", words) if words else ("no_words", "")


def _bound() -> None:
    with suppress(AttributeError, OSError):
        os.nice(10)
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


if __name__ == "__main__":
    main()
