from pathlib import Path

from speeddata.settings_docs import main, table_markdown, update
from speeddata.settings_table import FILES, TABLE

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_names_every_key_with_its_default() -> None:
    page = PAGE.read_text()
    for file in FILES:
        section = page.split(f"<!-- table {file} -->")[1].split("<!-- end -->")[0]
        for row in TABLE:
            assert row.file != file or f"| `{row.key}`" in section


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert update(page) == page, "run: python -m speeddata.settings_docs docs/configuration.md"


def test_a_page_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- table pivot -->\nold\n<!-- end -->\nafter\n")
    main([str(path)])
    assert path.read_text() == f"before\n<!-- table pivot -->\n{table_markdown('pivot')}<!-- end -->\nafter\n"
