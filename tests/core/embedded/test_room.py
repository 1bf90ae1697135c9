"""How much memory is free, as the machine says it."""

from pathlib import Path

from core.embedded.room import _linux, free_bytes


def test_reads_what_is_available(tmp_path: Path) -> None:
    """Linux counts what could be freed as free; the number is in KiB."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       9 kB\nMemFree:        1 kB\nMemAvailable:   2048 kB\n")
    assert _linux(meminfo) == 2048 * 1024


def test_an_old_kernel_does_not_say(tmp_path: Path) -> None:
    """Without the line there is no number, and no guess."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\n")
    assert _linux(meminfo) is None


def test_this_machine_answers() -> None:
    """Here there is a number, or none, but no error."""
    free = free_bytes()
    assert free is None or free > 0
