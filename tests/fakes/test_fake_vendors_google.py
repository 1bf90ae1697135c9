"""Google's own SDK against the fake Gemini, in an environment made for it: its pins collide with ours.

Needs the package index, so it is run by hand: `python -m pytest -m oracle`. It fails, and is never skipped,
where the SDK cannot be installed.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.vendors import rows
from tests.fakes.vendors.gemini import FakeGemini
from tests.fakes.vendors.script import Row, Say

SCRIPT = """
import json, sys
from google import genai
from google.genai import errors, types

base, key = sys.argv[1:]
client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base, api_version="v1beta"))
told = {"models": [[m.name, m.input_token_limit, m.supported_actions] for m in client.models.list()]}
config = types.GenerateContentConfig(system_instruction="seja breve", temperature=0.5, max_output_tokens=50)
picture = types.Part.from_bytes(data=b"\\x89PNG", mime_type="image/png")
chunks = list(client.models.generate_content_stream(
    model="gemini-3-flash", contents=["o que é?", picture], config=config))
parts = [p for c in chunks for p in c.candidates[0].content.parts or []]
told["text"] = "".join(p.text or "" for p in parts if not p.thought)
told["thoughts"] = "".join(p.text or "" for p in parts if p.thought)
told["reason"] = str(chunks[-1].candidates[0].finish_reason)
usage = chunks[-1].usage_metadata
told["usage"] = [usage.prompt_token_count, usage.candidates_token_count]
told["errors"] = []
for _ in range(int(sys.stdin.read())):
    try:
        list(client.models.generate_content_stream(model="gemini-3-flash", contents="x"))
        told["errors"].append(None)
    except errors.APIError as error:
        told["errors"].append([error.code, error.status, error.message])
print(json.dumps(told))
"""


async def run(*command: str, given: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    assert process.returncode == 0, err.decode()[-3000:]
    return out.decode()


async def told(server: FakeGemini, python: Path, script: Path, questions: int) -> dict[str, Any]:
    out = await run(str(python), str(script), server.origin, server.key, given=str(questions))
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.oracle
@pytest.mark.timeout(900)
async def test_google_s_client_reads_what_ours_reads(tmp_path: Path) -> None:
    """Models, pieces, thoughts, reason, usage; every row of the table is an error with the code that we read."""
    await run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    python = tmp_path / "venv" / "bin" / "python"
    await run(str(python), "-m", "pip", "install", "-q", "google-genai>=3,<4")
    script = tmp_path / "ask.py"
    script.write_text(SCRIPT, encoding="utf-8")
    refusals = [one.row for one in rows.GEMINI if isinstance(one.row.body, dict)]
    broken = Say((), breaks=Row(0, {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}))
    async with FakeGemini() as server:
        server.script += [Say(("Ol", "á"), thoughts=("hm",), tokens=(21, 9)), *refusals, broken]
        seen = await told(server, python, script, len(refusals) + 1)
        assert [name for name, _, _ in seen["models"]] == [model["name"] for model in server.models]
        assert seen["models"][1][1:] == [1_048_576, ["generateContent", "countTokens"]]
        assert (seen["text"], seen["thoughts"], seen["reason"]) == ("Olá", "hm", "FinishReason.STOP")
        assert seen["usage"] == [21, 9]
        wanted = [[row.status, row.body["error"]["status"], row.body["error"]["message"]] for row in refusals]  # type: ignore[call-overload,index]  # filtered above
        assert seen["errors"][:-1] == wanted
        assert seen["errors"][-1][:2] == [503, "UNAVAILABLE"]
        sent = server.questions()[0].body
        assert set(sent) <= {"contents", "systemInstruction", "generationConfig"}
