"""``digit-classifier batch``."""

import sys
from dataclasses import replace

import click

from digit_classifier.cli.predict import MAX_FILE_BYTES
from digit_classifier.environment.startup import use_one_thread
from digit_classifier.settings import load_settings


@click.command()
@click.option(
    "-o", "--output", required=True, metavar="DIR|URL", help="A folder that has no other use."
)
@click.option(
    "--model",
    help="Name of the model.  [default: the setting model; with --read, numbers_model]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["parquet", "jsonl", "csv"]),
    default="parquet",
    show_default=True,
)
@click.option(
    "--shard-size",
    type=click.IntRange(1, 1_000_000),
    default=2000,
    show_default=True,
    help="Images in a file of the output.",
)
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="A Dask scheduler with its workers.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this machine, without a scheduler.  [default: one a core]",
)
@click.option("--read", is_flag=True, help="Read all digits of each image instead of one.")
@click.option("--resume", is_flag=True, help="Go on with the run that the folder holds, if any.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
def batch(
    *,
    output: str,
    model: str | None,
    format_: str,
    shard_size: int,
    scheduler: str | None,
    workers: int | None,
    read: bool,
    resume: bool,
    inputs: tuple[str, ...],
) -> None:
    """Read millions of digits: folders, archives, IDX files, tables of pixels, lists of paths.

    Each is a path or a URL such as s3://bucket/digits.zip. Every image becomes a row of the
    output, with its digit, or all its digits with --read, or the reason why it could not be read;
    the exit status is 0 when all rows are written.
    """
    if scheduler and workers:
        raise click.UsageError("--workers is of this machine, not of a scheduler's.")
    use_one_thread()  # inherited by the workers, each of which has a core to itself
    from digit_classifier.bulk.run import Options, run_batch

    settings = load_settings()
    settings = replace(
        settings,
        model=model or (settings.numbers_model if read else settings.model),
        max_upload_bytes=max(settings.max_upload_bytes, MAX_FILE_BYTES),
    )
    options = Options(
        format=format_,
        shard_size=shard_size,
        scheduler=scheduler,
        n_workers=workers,
        resume=resume,
        all_digits=read,
    )
    try:
        summary = run_batch(inputs, output, settings, options)
    except KeyboardInterrupt:
        click.echo(
            "\nInterrupted. What is finished is kept: the same command with --resume goes on.",
            err=True,
        )
        sys.exit(130)  # as a shell reports SIGINT: 128 + 2
    counts = summary.as_json()
    click.echo(f"{counts['images']:,} images, {counts['accepted']:,} accepted: {output}")
    for code, count in counts["errors"].items():
        names = [click.format_filename(name) for name in summary.first_names(code)]
        more = ", …" if count > len(names) else ""
        click.echo(f"{count:,} could not be read: {code} ({', '.join(names)}{more})")
    if counts["skipped"]:
        files = "file" if counts["skipped"] == 1 else "files"
        click.echo(f"{counts['skipped']:,} {files} skipped, not named like images")
