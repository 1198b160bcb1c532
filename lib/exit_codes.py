"""The exit statuses of all commands: the one place where these numbers stand, and how helps and the docs tell them."""

__all__ = ["CANNOT_START", "DAMAGED", "DONE", "FAILED", "MEANINGS", "TROUBLE", "USAGE", "epilog"]

DONE = 0
FAILED = 1
USAGE = 2  # as click has it
CANNOT_START = 3  # of what runs services
DAMAGED = 3  # of what reads an archive
TROUBLE = 4

# What each stands for, and of which commands it is.
MEANINGS = (
    (DONE, "done, or ended as asked (also by Ctrl-C)", "all"),
    (FAILED, "failed; of `doctor`: something should be mended", "all"),
    (USAGE, "wrong usage or settings", "all"),
    (CANNOT_START, "cannot start: a port or the data folder is in use, or the registry cannot be used", "`run`, `demo`"),
    (DAMAGED, "damaged places are left out, or records were lost", "`verify`, `repair`, `inspect`, `cat`, `export`, `replay`"),
    (TROUBLE, "the server answers, and something is in trouble", "`status`"),
)  # fmt: skip


def epilog(
    done: str = "done",
    failed: str = "failed",
    usage: str = "wrong usage",
    *,
    cannot_start: str = "",
    damaged: str = "",
    trouble: str = "",
) -> str:
    """The last line of a command's help: each of its exit statuses, in words."""
    told = ((DONE, done), (FAILED, failed), (USAGE, usage), (CANNOT_START, cannot_start), (DAMAGED, damaged), (TROUBLE, trouble))  # fmt: skip
    return f"Exit status: {', '.join(f'{status} {words}' for status, words in told if words)}."
