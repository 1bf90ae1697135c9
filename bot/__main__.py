"""`python -m bot`: run the bot, or one of its tools."""

from pathlib import Path
from typing import Annotated

import typer

VERSION = "0.1.0"
app = typer.Typer(
    name="python -m bot",
    help="Chat with the models of your LM Studio, in this terminal and elsewhere. "
    "Settings come from the environment and from .env; see .env.example.",
    invoke_without_command=True,
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001  # the shape typer calls back
    if wanted:
        typer.echo(f"orquestrador {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run every configured platform; without any token, a chat in this terminal."""
    if context.invoked_subcommand is None and not version:
        import httpx2  # noqa: PLC0415  # same

        # Before anything imports telegram: httpx loses its connections when calls are cancelled, and its
        # maintained continuation does not.
        httpx2.alias_httpx()
        from bot.app import run  # noqa: PLC0415  # --help and --version answer without the rest

        raise typer.Exit(run())


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet, or a folder.")],
) -> None:
    """Copy the database to FILE, whole, also while the bot runs. API keys stay encrypted; their key file is not in it."""
    from bot.backup import save  # noqa: PLC0415  # same
    from bot.begin import with_settings  # noqa: PLC0415  # same

    raise typer.Exit(with_settings(lambda settings: save(settings, file)))


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `backup` wrote.")]) -> None:
    """Put a backup in the database's place, while no bot runs on it; what was there is kept under another name."""
    from bot.backup import bring_back  # noqa: PLC0415  # same
    from bot.begin import with_settings  # noqa: PLC0415  # same

    raise typer.Exit(with_settings(lambda settings: bring_back(settings, file)))


keys = typer.Typer(help="The master keys that API keys are encrypted with.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("rotate")
def keys_rotate() -> None:
    """Encrypt every stored API key anew, also while the bot runs; the old master key goes when nothing needs it."""
    from bot.begin import with_settings  # noqa: PLC0415  # same
    from bot.rotate import turn  # noqa: PLC0415  # same

    raise typer.Exit(with_settings(turn))


@keys.command("new")
def keys_new() -> None:
    """Print a new master key for MASTER_KEYS. Whoever has it can read the API keys: keep it secret."""
    from bot.begin import with_settings  # noqa: PLC0415  # same
    from bot.rotate import new  # noqa: PLC0415  # same

    raise typer.Exit(with_settings(new))


@app.command()
def doctor() -> None:
    """Check settings, tokens, hosts, keys, disk and clock, and say what to mend; exit code 0 ok, 1 warning, 2 error."""
    from bot.begin import with_settings  # noqa: PLC0415  # same
    from bot.doctor import run  # noqa: PLC0415  # same

    raise typer.Exit(with_settings(run, failed=2))


if __name__ == "__main__":
    app()
