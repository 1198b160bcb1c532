"""How a CSV file is written, found out from its lines."""

import pytest

from speeddata.csv_dialect import detect_dialect, has_open_quote, read_sample, split_line
from speeddata.errors import FormatError


@pytest.fixture
def dialect(tmp_path):
    def dialect(data, **options):
        path = tmp_path / "data.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return detect_dialect(path, read_sample(path, None), **options)

    return dialect


@pytest.mark.parametrize(
    ("text", "delimiter", "decimal", "names"),
    [
        ("time,a\n1,2.5\n2,3\n", ",", ".", ("time", "a")),
        ("Datum Zeit;A:f_soll_aktiv [Hz]\nSa. 01.05.21 00:00:30;50\nSa. 01.05.21 00:01:00;49,99\n", ";", ",", ("Datum Zeit", "A:f_soll_aktiv [Hz]")),
        ("t;a;b\n1;1,5;2,5\n2;1,5;2,5\n", ";", ",", ("t", "a", "b")),
        ("1,5;2,5\n2,5;3,5\n", ";", ",", ("column1", "column2")),
        ("t\ta\n1\t2\n", "\t", ".", ("t", "a")),
        ("t|a\n1|2\n", "|", ".", ("t", "a")),
        ('"t","a"\n"1","2,5"\n"2","3,5"\n', ",", ",", ("t", "a")),
        ("530\n518\n", ",", ".", ("column1",)),
        ("hr\n518\n", ",", ".", ("hr",)),
        ("2021-05-01T00:00:00Z,1\n2021-05-01T00:00:01Z,2\n", ",", ".", ("column1", "column2")),
        ("Sa. 01.05.21 00:00:30;50\nSa. 01.05.21 00:01:00;50\n", ";", ".", ("column1", "column2")),
        ("# made by hand\n\n# again\nt;a\n1;2\n", ";", ".", ("t", "a")),
        ("name,place\nx,here\ny,there\nx,there\n", ",", ".", ("name", "place")),
        ("1,a\n", ",", ".", ("column1", "column2")),
    ],
)  # fmt: skip
def test_what_a_file_is_like(text, delimiter, decimal, names, dialect):
    for start in (b"", b"\xef\xbb\xbf"):
        for end in ("\n", "\r\n"):
            found = dialect(start + text.replace("\n", end).encode())
            assert (found.delimiter, found.decimal, found.names) == (delimiter, decimal, names)


def test_values_begin_behind_the_names_whatever_is_above_them(dialect):
    data = "\ufeff# für alle\n\nt;a\r\n1;2\r\n".encode()
    found = dialect(data)
    assert data[found.data_start :] == b"1;2\r\n"
    assert found.lines_above == 3
    assert dialect(b"junk\nmore;junk\nt;a\n1;2\n", skip=2).names == ("t", "a")
    assert dialect(b"t,a\n1,2\n", header=False).names == ("column1", "column2")
    assert dialect(b"1,2\n3,4\n", header=True).names == ("1", "2")


def test_what_is_told_counts(dialect):
    found = dialect("a;b,c\n1;2,3\n", delimiter=",", decimal=".", quote="'")
    assert (found.names, found.decimal, found.quote) == (("a;b", "c"), ".", "'")


def test_latin_text_is_noticed(dialect):
    found = dialect("Zeit;Temperatur [°C]\n1;2\n".encode("cp1252"))
    assert (found.encoding, found.names[1]) == ("cp1252", "Temperatur [°C]")
    assert dialect("Zeit;Temperatur [°C]\n1;2\n").encoding == "utf-8"


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", "no lines"), (b"\n\n \n", "no lines"), (b"PK\x03\x04zip", "packed by zip"), (b"\x1f\x8b\x08", "packed by gzip"),
     ("t,a\n".encode("utf-16"), "UTF-16"),
     pytest.param(b"a," * 20_000 + b"a\n" + b"1," * 20_000 + b"1\n", "20,001 columns", id="columns")],
)  # fmt: skip
def test_what_is_no_csv_is_told(data, error, dialect):
    with pytest.raises(FormatError, match=error):
        dialect(data)


def test_samples_are_taken_all_over_a_large_file(tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(b"t,a\n" + b"".join(b"%d,1\n" % n for n in range(300_000)))
    sample = read_sample(path, None)
    firsts = [int(line.split(",")[0]) for line in sample.others]
    assert max(firsts) > 299_000
    assert len(sample.others) < 60_000


def test_fields_of_a_line():
    assert split_line('1, "a,b" ,"c""d"', ",", '"') == ["1", "a,b ", 'c"d']
    assert split_line("a'b;c", ";", "") == ["a'b", "c"]


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ('1,"', True), ('1,"a', True), ('1, "a', True), ('1,"a""', True), ('1,"a\nb', True), ('"', True), ('1,"a",', False), ('1,"a"', False),
        ('1,a"', False), ('1,""', False), ('1,"a"""', False), ("", False), ("1,a", False), ('1,"a\nb"', False),
    ],
)  # fmt: skip
def test_open_quotes(text, is_open):
    assert has_open_quote(text, ",", '"') == is_open
    assert not has_open_quote(text, ",", "")
    assert has_open_quote(text.replace('"', "'").replace(",", ";"), ";", "'") == is_open
