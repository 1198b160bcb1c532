"""docs/command-line.md, as far as it is made from the commands, and that no command is left out of it."""

from pathlib import Path

from speeddata.cli_docs import command_markdown, each_command, main, statuses_markdown, update

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text()
    assert update(page) == page, "run: python -m speeddata.cli_docs docs/command-line.md"
    assert f"<!-- exit statuses -->\n{statuses_markdown()}<!-- end -->" in page


def test_the_page_has_every_command() -> None:
    page = PAGE.read_text()
    for name, _ in each_command():
        assert f"<!-- command {name} -->" in page or name == "demo", name
        assert f"speeddata {name.split()[0]}" in page


def test_a_command_is_told_with_usage_options_defaults_and_statuses(tmp_path: Path) -> None:
    told = command_markdown("verify")
    assert told.startswith("`speeddata verify [OPTIONS] PATH...`\n")
    assert "| `-q, --quiet` | No progress. |" in told
    assert "3 damaged but readable" in told
    assert "[default: data]" in command_markdown("stop")
    assert "[default: 5.0" in command_markdown("bench relay"), "of the module that it starts"
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- command verify -->\nold\n<!-- end -->\nafter\n")
    main([str(path)])
    assert path.read_text() == f"before\n<!-- command verify -->\n{told}<!-- end -->\nafter\n"
